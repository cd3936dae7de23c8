/** RFC 9002 §6.1.1 and §6.1.2. */
const PACKET_THRESHOLD = 3;
const LEAST_SHARE = 1 / 8;
/** A packet that comes more than two round trips late is as good as lost. */
const MOST_SHARE = 1;
/** What was seen counts for so long, as RFC 8985 §6.2 has it for 16 recoveries. Milliseconds. */
const REMEMBERED_MS = 30_000;

/** How far packets overtake each other on a path, learnt from those that were given up and came after all; after RFC 8985 §6.2. */
export class Reordering {
  #seenAtMs = Number.NEGATIVE_INFINITY;
  #widenedAtMs = Number.NEGATIVE_INFINITY;
  #share = LEAST_SHARE;

  /** Later packets that show one to be lost. Where any were seen to overtake, only time tells. */
  packetThreshold(now: number): number {
    return this.#isRemembered(now) ? Number.POSITIVE_INFINITY : PACKET_THRESHOLD;
  }

  /** Of a round trip, to wait beyond one. */
  share(now: number): number {
    return this.#isRemembered(now) ? this.#share : LEAST_SHARE;
  }

  /** A packet was given up too early: where time alone had decided, that was too short. Once a round trip. */
  onLate(now: number, rttMs: number): void {
    if (!this.#isRemembered(now)) this.#share = LEAST_SHARE;
    else if (now >= this.#widenedAtMs + 2 * rttMs) this.#share = Math.min(2 * this.#share, MOST_SHARE);
    else return void (this.#seenAtMs = now);
    this.#seenAtMs = this.#widenedAtMs = now;
  }

  #isRemembered(now: number): boolean {
    return now < this.#seenAtMs + REMEMBERED_MS;
  }
}
