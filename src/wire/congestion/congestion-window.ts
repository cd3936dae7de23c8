import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { AckSample } from "./controller.ts";
import { INITIAL_WINDOW_BYTES, MIN_WINDOW_BYTES } from "./path-model.ts";

/** As full as that is full: less than this is missing, as a share of it, or two packets. */
const LIMITED_SHARE = 0.05;

/** How many bytes may be in flight; §4.6.4 of the draft. */
export class CongestionWindow {
  bytes = INITIAL_WINDOW_BYTES;
  /** Before it was cut for a while, to come back to. */
  #priorBytes = 0;

  /** Follows what is acknowledged up to `targetBytes`; while the path is not known yet it never shrinks for that. */
  grow({ ackedBytes, deliveredBytes }: AckSample, targetBytes: number, isFilled: boolean): void {
    const grown = this.bytes + ackedBytes;
    if (isFilled) this.bytes = Math.min(grown, targetBytes);
    else if (this.bytes < targetBytes || deliveredBytes < INITIAL_WINDOW_BYTES) this.bytes = grown;
  }

  bound(mostBytes: number): void {
    this.bytes = Math.max(Math.min(this.bytes, mostBytes), MIN_WINDOW_BYTES);
  }

  /** It holds the sender back, as the draft's C.is_cwnd_limited. */
  isLimiting({ sentInFlightBytes, bytesInFlight, ackedBytes }: AckSample): boolean {
    const roomBytes = Math.max(LIMITED_SHARE * this.bytes, 2 * MIN_DATAGRAM_BYTES);
    return Math.max(sentInFlightBytes, bytesInFlight + ackedBytes) + roomBytes >= this.bytes;
  }

  save(): void {
    this.#priorBytes = Math.max(this.#priorBytes, this.bytes);
  }

  /** Nothing comes through. */
  cut(): void {
    this.save();
    this.bytes = MIN_WINDOW_BYTES;
  }

  restore(): void {
    this.bytes = Math.max(this.bytes, this.#priorBytes);
    this.#priorBytes = 0;
  }
}
