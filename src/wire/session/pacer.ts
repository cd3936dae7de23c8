import { MAX_BURST_BYTES, MIN_DATAGRAM_BYTES } from "../limits.ts";

/** A burst is worth this much of the rate, so that one call to the kernel carries many packets. Milliseconds. */
const BURST_MS = 1;
/** What leaves within that time when a timer was late. Milliseconds of the rate. */
const CATCH_UP_MS = 2;
/** What late timers may owe in all: more is lost, or the rate would not be kept on a busy machine. Milliseconds of the rate. */
const OWED_MS = 10;
const MIN_BURST_BYTES = 2 * MIN_DATAGRAM_BYTES;
/** RFC 9002 §7.7. */
const INITIAL_BURST_BYTES = 10 * MIN_DATAGRAM_BYTES;

/** Spreads packets over time, RFC 9002 §7.7: a budget in bytes that fills at the rate of the congestion controller. */
export class Pacer {
  #budgetBytes = INITIAL_BURST_BYTES;
  #at: number;
  /** What left since then: the rest of the budget is for later. */
  #burstAt = Number.NEGATIVE_INFINITY;
  #burstBytes = 0;
  /** It was the pacer that had to be waited for. */
  #isAwaited = false;

  constructor(now: number) {
    this.#at = now;
  }

  /** Bytes that may leave now; below zero after packets that did not ask. */
  budgetBytes(now: number, bytesPerMs: number): number {
    this.#fill(now, bytesPerMs);
    if (now >= this.#burstAt + BURST_MS) {
      this.#burstAt = now;
      this.#burstBytes = 0;
    }
    const atOnce = Math.max(bytesPerMs * CATCH_UP_MS, INITIAL_BURST_BYTES);
    return Math.min(this.#budgetBytes, atOnce - this.#burstBytes);
  }

  spend(bytes: number): void {
    this.#budgetBytes -= bytes;
    this.#burstBytes += bytes;
  }

  /** When there is budget for a burst again. A sender that went on with every packet's worth would never send a burst. */
  readyAt(now: number, bytesPerMs: number): number {
    const burst = Math.min(Math.max(bytesPerMs * BURST_MS, MIN_DATAGRAM_BYTES), MAX_BURST_BYTES);
    const atOnce = this.budgetBytes(now, bytesPerMs);
    const lacking = burst - this.#budgetBytes;
    this.#isAwaited = true;
    // What a clock's rounding takes away must not cost a turn of the timer, or many of them.
    if (lacking >= 1) return now + lacking / bytesPerMs;
    return atOnce > MIN_DATAGRAM_BYTES - 1 ? now : this.#burstAt + BURST_MS;
  }

  /** Something else has to be waited for: time that passes then is not owed. */
  rest(): void {
    this.#isAwaited = false;
  }

  #fill(now: number, bytesPerMs: number): void {
    const cap = Math.max(bytesPerMs * (this.#isAwaited ? OWED_MS : CATCH_UP_MS), MIN_BURST_BYTES);
    const filled = this.#budgetBytes + (now - this.#at) * bytesPerMs;
    // The first burst stays whole until it is used.
    if (this.#budgetBytes < cap) this.#budgetBytes = Math.min(filled, cap);
    this.#at = now;
  }
}
