import { WireError } from "../../wire/errors.ts";
import type { SessionEvent } from "../../wire/session/events.ts";
import { CHAT_STREAM, CONTROL_STREAM } from "../../wire/session/stream-id.ts";
import type { UserError } from "../cli/errors.ts";
import { StreamReader, StreamWriter } from "./byte-stream.ts";
import { MessageStream } from "./message-stream.ts";
import type { ByteReader, ByteWriter } from "./peer-session.ts";
import type { StreamHost } from "./stream-host.ts";

type StreamEvent = Extract<SessionEvent, { stream: number }>;

/** Streams the other end opened and nobody took yet; more of them is no way to use this protocol. */
const MAX_EARLY_STREAMS = 64;

/** The streams of one session by number, and what happens to each. */
export class SessionStreams {
  readonly control: MessageStream;
  readonly chat: MessageStream;
  readonly #host: StreamHost;
  readonly #writers = new Map<number, StreamWriter>();
  readonly #readers = new Map<number, StreamReader>();
  #onBulk: ((stream: ByteReader) => void) | null = null;
  #early: ByteReader[] = [];

  constructor(host: StreamHost) {
    this.#host = host;
    this.control = new MessageStream(host, CONTROL_STREAM);
    this.chat = new MessageStream(host, CHAT_STREAM);
  }

  /** The other end unpacks messages. */
  pack(): void {
    this.control.packs = this.chat.packs = true;
  }

  /** @param stream a bulk stream just opened on this end */
  opened(stream: number): ByteWriter {
    const writer = new StreamWriter(this.#host, stream);
    this.#writers.set(stream, writer);
    return writer;
  }

  onBulk(handler: (stream: ByteReader) => void): void {
    this.#onBulk = handler;
    for (const reader of this.#early.splice(0)) handler(reader);
  }

  /** @throws WireError what ends the session */
  handle(event: StreamEvent): void {
    const message = event.stream === CONTROL_STREAM ? this.control : event.stream === CHAT_STREAM ? this.chat : null;
    if (message === null) this.#handleBulk(event);
    else if (event.kind === "stream-readable") message.onReadable();
    else if (event.kind === "stream-writable") message.onWritable();
    else if (event.kind === "stream-acked") message.onAcked();
    else if (event.kind === "stream-reset" || event.kind === "stream-stopped")
      throw new WireError("protocol-error", "a stream that lasts as long as the session was given up");
  }

  end(why: UserError): void {
    for (const stream of [this.control, this.chat, ...this.#writers.values(), ...this.#readers.values()])
      stream.end(why);
    this.#writers.clear();
    this.#readers.clear();
  }

  #handleBulk(event: StreamEvent): void {
    const { stream } = event;
    switch (event.kind) {
      case "stream-opened":
        return this.#accept(stream);
      case "stream-readable":
        return this.#readers.get(stream)?.onReadable();
      case "stream-finished":
        this.#readers.get(stream)?.onFinished();
        return void this.#readers.delete(stream);
      case "stream-reset":
        this.#readers.get(stream)?.onReset(event.code);
        return void this.#readers.delete(stream);
      case "stream-writable":
        return this.#writers.get(stream)?.onWritable();
      case "stream-stopped":
        this.#writers.get(stream)?.onStopped(event.code);
        return void this.#writers.delete(stream);
      case "stream-acked":
        if (!event.finished) return;
        this.#writers.get(stream)?.onAcked();
        return void this.#writers.delete(stream);
    }
  }

  #accept(stream: number): void {
    const reader = new StreamReader(this.#host, stream);
    this.#readers.set(stream, reader);
    if (this.#onBulk !== null) this.#onBulk(reader);
    else if (this.#early.push(reader) > MAX_EARLY_STREAMS)
      throw new WireError("protocol-error", "too many streams nobody asked for");
  }
}
