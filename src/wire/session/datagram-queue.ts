import { type Frame, frames } from "../messages/session.ts";

/** More wait for nothing: they are about this moment. The oldest goes. */
const MAX_QUEUED = 32;

/** Frames that are sent once, and never again. */
export class DatagramQueue {
  readonly #queue: { readonly frame: Frame; readonly bytes: Uint8Array }[] = [];

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** @throws RangeError over 1 KiB */
  add(data: Uint8Array): void {
    const frame: Frame = { kind: "datagram", data: data.slice() };
    this.#queue.push({ frame, bytes: frames.encode(frame) });
    if (this.#queue.length > MAX_QUEUED) this.#queue.shift();
  }

  /** @returns the next one, if it fits into `room` bytes */
  take(room: number): { readonly frame: Frame; readonly bytes: Uint8Array } | null {
    const first = this.#queue[0];
    return first !== undefined && first.bytes.length <= room ? (this.#queue.shift() ?? null) : null;
  }
}
