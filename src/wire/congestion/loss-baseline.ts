import { MIN_DATAGRAM_BYTES } from "../limits.ts";

/** Packets a sample of the loss rate needs to mean something. */
const SAMPLE_PACKETS = 64;
/** Samples before anything is said, and how far back they go: to the last time we sent little on purpose. Milliseconds. */
const LEAST_SAMPLES = 3;
const WINDOW_MS = 6_000;
/** More than this is not taken for the nature of the path. */
const MAX_RATE = 0.4;
/** Loss beyond the baseline that tells of too much in flight, where packets queue (BBR.LossThresh) and where none do. */
export const QUEUED_EXCESS = 0.02;
const UNQUEUED_EXCESS = 0.1;
/** Chance, in standard deviations of a share of so many packets. */
const DEVIATIONS = 3;

/**
 * How much is lost whatever we send, as on a bad radio link: the lowest loss rate of the last seconds, of rounds that sent no more than
 * the path delivers and saw no queue. A full queue loses packets only while more is sent than it drains, so some samples show a rate
 * near zero, and then that is what counts.
 */
export class LossBaseline {
  /** 0 to 0.4. */
  rate = 0;
  readonly #samples: { readonly at: number; readonly rate: number }[] = [];
  #sent = 0;
  #lost = 0;

  onRound(now: number, lostBytes: number, sentBytes: number): void {
    this.#lost += lostBytes;
    this.#sent += sentBytes;
    if (this.#sent < SAMPLE_PACKETS * MIN_DATAGRAM_BYTES) return;
    const samples = this.#samples;
    samples.push({ at: now, rate: this.#lost / this.#sent });
    while (samples.length > LEAST_SAMPLES && (samples[0]?.at ?? now) < now - WINDOW_MS) samples.shift();
    this.#sent = this.#lost = 0;
    if (samples.length >= LEAST_SAMPLES)
      this.rate = samples.reduce((least, { rate }) => Math.min(least, rate), MAX_RATE);
  }

  /** Of so many bytes more were lost than nature and chance explain. */
  isExceeded(lostBytes: number, sentBytes: number, isQueued: boolean): boolean {
    return lostBytes > (this.#expected(sentBytes) + (isQueued ? QUEUED_EXCESS : UNQUEUED_EXCESS)) * sentBytes;
  }

  /** More than nature can be. */
  isUnnatural(lostBytes: number, sentBytes: number): boolean {
    return lostBytes > MAX_RATE * sentBytes;
  }

  #expected(sentBytes: number): number {
    const packets = Math.max(1, sentBytes / MIN_DATAGRAM_BYTES);
    return this.rate + DEVIATIONS * Math.sqrt((this.rate * (1 - this.rate)) / packets);
  }
}
