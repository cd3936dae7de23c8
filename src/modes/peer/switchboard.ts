import { toHex } from "../../wire/bytes.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";

/** A message of the server about one session. */
export type SessionMessage = Extract<SignallingMessage, { session: Uint8Array }>;
/** A ring under way, or a session that lives. May not throw. */
export type SessionSink = (message: SessionMessage) => void;

interface Line {
  readonly sink: SessionSink;
  readonly onLost: () => void;
}

/** Hands what the server says about a session to whoever has it, by session id. */
export class Switchboard {
  /** For sessions nobody here knows: `incoming` first of all. May not throw. */
  onUnknown: SessionSink = () => undefined;
  readonly #lines = new Map<string, Line>();

  /** @param onLost the line to the server broke, and the server forgets what was under way. May not throw. */
  connect(session: Uint8Array, sink: SessionSink, onLost: () => void = () => undefined): void {
    this.#lines.set(toHex(session), { sink, onLost });
  }

  /** Only if `sink` is still the one: a ring does not cut off the session that came of it. */
  disconnect(session: Uint8Array, sink: SessionSink): void {
    if (this.#lines.get(toHex(session))?.sink === sink) this.#lines.delete(toHex(session));
  }

  handle(message: SignallingMessage): void {
    if (!("session" in message)) return;
    const sink = this.#lines.get(toHex(message.session))?.sink ?? this.onUnknown;
    sink(message);
  }

  /** The line to the server broke. */
  lost(): void {
    for (const { onLost } of this.#lines.values()) onLost();
  }
}
