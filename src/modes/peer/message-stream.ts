import { BinaryReader, binaryOf } from "../../wire/codec/binaries.ts";
import { MAX_STREAM_MESSAGE_BYTES } from "../../wire/limits.ts";
import { packed, unpacked } from "../../wire/messages/packed.ts";
import type { UserError } from "../cli/errors.ts";
import { zstd } from "../runtime/zstd.ts";
import type { MessagePort } from "./peer-session.ts";
import type { StreamHost } from "./stream-host.ts";

interface Queued {
  readonly bytes: Uint8Array;
  readonly taken: PromiseWithResolvers<void>;
}

/** The control or the chat stream of a session as a row of messages. */
export class MessageStream implements MessagePort {
  readonly #host: StreamHost;
  readonly #stream: number;
  readonly #reader = new BinaryReader(MAX_STREAM_MESSAGE_BYTES);
  readonly #queue: Queued[] = [];
  #flushing: PromiseWithResolvers<void>[] = [];
  #handler: ((message: Uint8Array) => void) | null = null;
  #ended: UserError | null = null;
  /** The other end has said that it unpacks messages. */
  packs = false;

  constructor(host: StreamHost, stream: number) {
    this.#host = host;
    this.#stream = stream;
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#ended !== null) throw this.#ended;
    const taken = Promise.withResolvers<void>();
    this.#queue.push({ bytes: binaryOf(this.packs ? packed(message, zstd) : message), taken });
    this.onWritable();
    return taken.promise;
  }

  async flushed(): Promise<void> {
    if (this.#ended !== null) throw this.#ended;
    if (this.#isFlushed()) return;
    const flushed = Promise.withResolvers<void>();
    this.#flushing.push(flushed);
    return flushed.promise;
  }

  onMessage(handler: (message: Uint8Array) => void): void {
    this.#handler = handler;
    this.#host.guard(() => this.onReadable());
  }

  /** The session has room again. */
  onWritable(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const written = this.#host.write(this.#stream, first.bytes);
      if (written < first.bytes.length) {
        this.#queue[0] = { ...first, bytes: first.bytes.subarray(written) };
        return;
      }
      this.#queue.shift();
      first.taken.resolve();
    }
  }

  /** Something was acknowledged. */
  onAcked(): void {
    if (!this.#isFlushed()) return;
    for (const flushed of this.#flushing.splice(0)) flushed.resolve();
  }

  /** Bytes came; without a handler they stay where the other end's credit bounds them. @throws WireError what the handler or the framing throws */
  onReadable(): void {
    const handler = this.#handler;
    if (handler === null) return;
    for (let bytes = this.#host.read(this.#stream); bytes !== null; bytes = this.#host.read(this.#stream)) {
      this.#reader.push(bytes);
      this.#host.consumed(this.#stream, bytes.length);
      for (let message = this.#reader.next(); message !== null; message = this.#reader.next())
        handler(unpacked(message, zstd));
    }
  }

  end(why: UserError): void {
    this.#ended = why;
    for (const { taken } of this.#queue.splice(0)) taken.reject(why);
    for (const flushed of this.#flushing.splice(0)) flushed.reject(why);
  }

  #isFlushed(): boolean {
    return this.#queue.length === 0 && this.#host.bufferedBytes(this.#stream) === 0;
  }
}
