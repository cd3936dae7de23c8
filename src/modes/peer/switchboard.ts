import { toHex } from "../../wire/bytes.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";

/** A message of the server about one session. */
export type SessionMessage = Extract<SignallingMessage, { session: Uint8Array }>;
/** A ring under way, or a session that lives. May not throw. */
export type SessionSink = (message: SessionMessage) => void;

/** Hands what the server says about a session to whoever has it, by session id. */
export class Switchboard {
  /** For sessions nobody here knows: `incoming` first of all. May not throw. */
  onUnknown: SessionSink = () => undefined;
  readonly #sinks = new Map<string, SessionSink>();

  connect(session: Uint8Array, sink: SessionSink): void {
    this.#sinks.set(toHex(session), sink);
  }

  /** Only if `sink` is still the one: a ring does not cut off the session that came of it. */
  disconnect(session: Uint8Array, sink: SessionSink): void {
    if (this.#sinks.get(toHex(session)) === sink) this.#sinks.delete(toHex(session));
  }

  handle(message: SignallingMessage): void {
    if (!("session" in message)) return;
    const sink = this.#sinks.get(toHex(message.session)) ?? this.onUnknown;
    sink(message);
  }
}
