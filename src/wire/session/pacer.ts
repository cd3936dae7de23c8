import { MIN_DATAGRAM_BYTES } from "../limits.ts";

/** What a late timer may catch up on at once. Milliseconds of the rate. */
const CATCH_UP_MS = 2;
/** A burst is worth this much of the rate, so that one call to the kernel carries many packets. Milliseconds. */
const BURST_MS = 1;
const MIN_BURST_BYTES = 2 * MIN_DATAGRAM_BYTES;
/** What fits into one offloaded send. Bytes. */
const MAX_BURST_BYTES = 54 * MIN_DATAGRAM_BYTES;
/** RFC 9002 §7.7. */
const INITIAL_BURST_BYTES = 10 * MIN_DATAGRAM_BYTES;

/** Spreads packets over time, RFC 9002 §7.7: a budget in bytes that fills at the rate of the congestion controller. */
export class Pacer {
  #budgetBytes = INITIAL_BURST_BYTES;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** Bytes that may leave now; below zero after packets that did not ask. */
  budgetBytes(now: number, bytesPerMs: number): number {
    const cap = Math.max(bytesPerMs * CATCH_UP_MS, MIN_BURST_BYTES);
    // The first burst stays whole until it is used.
    const filled = this.#budgetBytes + (now - this.#at) * bytesPerMs;
    this.#budgetBytes = this.#budgetBytes > cap ? this.#budgetBytes : Math.min(filled, cap);
    this.#at = now;
    return this.#budgetBytes;
  }

  spend(bytes: number): void {
    this.#budgetBytes -= bytes;
  }

  /** When there is budget for a burst again. A sender that went on with every packet's worth would never send a burst. */
  readyAt(now: number, bytesPerMs: number): number {
    const burst = Math.min(Math.max(bytesPerMs * BURST_MS, MIN_DATAGRAM_BYTES), MAX_BURST_BYTES);
    const lacking = burst - this.budgetBytes(now, bytesPerMs);
    // What a clock's rounding takes away must not cost a turn of the timer, or many of them.
    return lacking < 1 ? now : now + lacking / bytesPerMs;
  }
}
