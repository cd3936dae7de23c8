import { type Frame, frames } from "../messages/session.ts";

interface Queued {
  readonly frame: Frame;
  readonly bytes: Uint8Array;
}

/** Frames that are sent until acknowledged, whole, in no order: the ones that are not about streams. */
export class ControlQueue {
  readonly #queue: Queued[] = [];
  /** Not acknowledged yet, queued or on their way. */
  readonly #open = new Map<Frame, Uint8Array>();

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  add(frame: Frame): void {
    const bytes = frames.encode(frame);
    this.#open.set(frame, bytes);
    this.#queue.push({ frame, bytes });
  }

  /** No longer of use: neither sent nor sent again. */
  cancel(frame: Frame): void {
    this.#open.delete(frame);
    const at = this.#queue.findIndex((queued) => queued.frame === frame);
    if (at >= 0) this.#queue.splice(at, 1);
  }

  /** @returns the first frame that `isAllowed` and takes no more than `room` bytes; null when there is none */
  take(room: number, isAllowed: (frame: Frame) => boolean): Queued | null {
    const at = this.#queue.findIndex(({ frame, bytes }) => bytes.length <= room && isAllowed(frame));
    return at < 0 ? null : (this.#queue.splice(at, 1)[0] ?? null);
  }

  hasAllowed(isAllowed: (frame: Frame) => boolean): boolean {
    return this.#queue.some(({ frame }) => isAllowed(frame));
  }

  /** Of a frame that is not acknowledged yet; null for others. */
  bytesOf(frame: Frame): Uint8Array | null {
    return this.#open.get(frame) ?? null;
  }

  /** @returns false when it was acknowledged before, or is none of ours */
  onAcked(frame: Frame): boolean {
    return this.#open.delete(frame);
  }

  /** Goes out again unless another packet brought it there. */
  onLost(frame: Frame): void {
    const bytes = this.#open.get(frame);
    if (bytes === undefined || this.#queue.some((queued) => queued.frame === frame)) return;
    this.#queue.push({ frame, bytes });
  }
}
