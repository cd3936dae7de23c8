import type { Delivery } from "../bus.ts";
import { MAX_BUS_MESSAGE_BYTES } from "../limits.ts";

/** Several messages in one publication: each behind its length, 4 bytes, highest first. */
const LENGTH_BYTES = 4;
/** One publication. */
const MAX_PACK_BYTES = 262_144;
/** What may wait for one node; beyond it messages are refused, as they are when Redis is away. */
const MAX_WAITING_BYTES = 4_194_304;

interface Waiting {
  readonly message: Uint8Array;
  /** Fails as the sending does. */
  readonly settle: (delivery: Promise<Delivery>) => void;
}

/**
 * What is on its way to one node. One publication at a time, so that the order holds also where a Cluster's client finds its
 * way anew; what comes meanwhile goes together in the next.
 */
export class Outbox {
  readonly #send: (pack: Uint8Array) => Promise<Delivery>;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isSending = false;

  constructor(send: (pack: Uint8Array) => Promise<Delivery>) {
    this.#send = send;
  }

  get isEmpty(): boolean {
    return !this.#isSending && this.#waiting.length === 0;
  }

  async publish(message: Uint8Array): Promise<Delivery> {
    const bytes = LENGTH_BYTES + message.length;
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return "away";
    this.#waitingBytes += bytes;
    const { promise, resolve } = Promise.withResolvers<Delivery>();
    this.#waiting.push({ message: Uint8Array.from(message), settle: resolve });
    if (!this.#isSending) void this.#sendAll();
    return promise;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      const delivery = this.#send(pack(batch.map(({ message }) => message)));
      for (const { settle } of batch) settle(delivery);
      await delivery.catch(() => {}); // told to each of them
    }
    this.#isSending = false;
  }

  #takeBatch(): readonly Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { message } of this.#waiting) {
      if (count > 0 && bytes + LENGTH_BYTES + message.length > MAX_PACK_BYTES) break;
      bytes += LENGTH_BYTES + message.length;
      count++;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}

export function pack(messages: readonly Uint8Array[]): Uint8Array {
  const packed = new Uint8Array(messages.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const message of messages) {
    view.setUint32(at, message.length);
    packed.set(message, at + LENGTH_BYTES);
    at += LENGTH_BYTES + message.length;
  }
  return packed;
}

/** @returns the messages in it; none when it is not whole, or is nothing that we pack */
export function unpack(packed: Uint8Array): readonly Uint8Array[] {
  if (packed.length > MAX_PACK_BYTES) return [];
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < packed.length;) {
    const length = at + LENGTH_BYTES <= packed.length ? view.getUint32(at) : packed.length;
    const end = at + LENGTH_BYTES + length;
    if (length > MAX_BUS_MESSAGE_BYTES || end > packed.length) return [];
    messages.push(packed.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return messages;
}
