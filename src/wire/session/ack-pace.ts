import { MAX_BURST_BYTES } from "../limits.ts";

/** One ack for what comes in this time: the sender's bursts are worth as much, and its window has room for some of them. Milliseconds. */
const PACE_MS = 1;
/** And of the delay that an ack may have, this share at most: a near sender has sent all it may before a millisecond is over. */
const DELAY_SHARE = 0.5;
/** The rate is that of the last full span. Milliseconds. */
const SPAN_MS = 4;

/**
 * How much may wait for an acknowledgement to come: what arrives in a millisecond. So a fast path sees a thousand acks a second instead
 * of one for every other packet, each of which costs both ends a packet; a slow one, and one that starts, still sees these.
 */
export class AckPace {
  /** Bytes per ms. */
  #rate = 0;
  #bytes = 0;
  #since = 0;

  onPacket(now: number, bytes: number): void {
    const spanMs = now - this.#since;
    if (spanMs >= SPAN_MS) {
      this.#rate = this.#bytes / spanMs;
      this.#bytes = 0;
      this.#since = now;
    }
    this.#bytes += bytes;
  }

  /** Never more than one burst. */
  waitBytes(maxAckDelayMs: number): number {
    return Math.min(this.#rate * Math.min(PACE_MS, DELAY_SHARE * maxAckDelayMs), MAX_BURST_BYTES);
  }
}
