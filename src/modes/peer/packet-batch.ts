import { concat } from "../../wire/bytes.ts";

/** Packets that leave in one turn of the event loop go as few messages as possible: each message costs a seal, a frame and a wake-up. */
export class PacketBatch {
  readonly #maxBytes: number;
  readonly #send: (body: Uint8Array) => void;
  #packets: Uint8Array[] = [];
  #bytes = 0;

  /** @param maxBytes of one body. @param send one or several whole packets */
  constructor(maxBytes: number, send: (body: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#send = send;
  }

  /** @param packet its memory is copied */
  add(packet: Uint8Array): void {
    if (this.#bytes + packet.length > this.#maxBytes) this.flush();
    if (this.#packets.length === 0) queueMicrotask(() => this.flush());
    this.#packets.push(packet.slice());
    this.#bytes += packet.length;
  }

  flush(): void {
    if (this.#packets.length === 0) return;
    const body = concat(...this.#packets);
    this.#packets = [];
    this.#bytes = 0;
    this.#send(body);
  }
}
