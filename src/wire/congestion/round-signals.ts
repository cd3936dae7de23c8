import type { AckSample } from "./controller.ts";

/** RTT samples whose least means more than chance, and the RTT beyond the round before that ends slow start; RFC 9406 §4.3. */
const RTT_SAMPLES = 8;
const [RISE_SHARE, LEAST_RISE_MS, MOST_RISE_MS] = [1 / 8, 4, 16];
/** RTT beyond the minimum that tells of a queue. */
const QUEUED_RTT = 1.15;
const QUEUED_MS = 1;
/** A queue grows and shrinks from one sample to the next by little; what leaps is the network. */
const JITTER_GAIN = 1 / 16;
const RISE_JITTERS = 1.5;

/** What the round under way has shown so far: BBR.bw_latest and BBR.inflight_latest of the draft, its losses, and what RTT says of a queue. */
export class RoundSignals {
  /** Highest rate. Bytes per ms. */
  bandwidth = 0;
  /** The most that was delivered within one round trip. Bytes. */
  inflightBytes = 0;
  ackedBytes = 0;
  lostBytes = 0;
  #leastRttMs = Number.POSITIVE_INFINITY;
  #leastRttBeforeMs = Number.POSITIVE_INFINITY;
  /** The last samples, over the rounds. */
  readonly #rttMs = new Float64Array(RTT_SAMPLES);
  #rttSamples = 0;
  #jitterMs = 0;

  begin(): void {
    this.bandwidth = this.inflightBytes = this.ackedBytes = this.lostBytes = 0;
    this.#leastRttBeforeMs = this.#leastRttMs;
    this.#leastRttMs = Number.POSITIVE_INFINITY;
  }

  onAck({ deliveredBytes, priorDeliveredBytes, ackedBytes, rttMs }: AckSample, rate: number): void {
    this.bandwidth = Math.max(this.bandwidth, rate);
    this.inflightBytes = Math.max(this.inflightBytes, deliveredBytes - priorDeliveredBytes);
    this.ackedBytes += ackedBytes;
    if (rttMs !== null) this.#onRtt(rttMs);
  }

  get sentBytes(): number {
    return this.ackedBytes + this.lostBytes;
  }

  /** A queue builds up: the last samples are all well above the least of the round before, as HyStart++ has it. */
  get isRttRising(): boolean {
    if (this.#rttSamples < RTT_SAMPLES) return false;
    const riseMs = Math.max(LEAST_RISE_MS, Math.min(RISE_SHARE * this.#leastRttBeforeMs, MOST_RISE_MS));
    return this.#recentLeastMs >= this.#leastRttBeforeMs + Math.max(riseMs, RISE_JITTERS * this.#jitterMs);
  }

  /** A queue stands there. */
  isQueued(minRttMs: number): boolean {
    if (this.#rttSamples < RTT_SAMPLES) return false;
    return this.#recentLeastMs > QUEUED_RTT * minRttMs + QUEUED_MS + this.#jitterMs;
  }

  #onRtt(rttMs: number): void {
    const before = this.#rttMs[(this.#rttSamples + RTT_SAMPLES - 1) % RTT_SAMPLES] ?? rttMs;
    if (this.#rttSamples > 0) this.#jitterMs += JITTER_GAIN * (Math.abs(rttMs - before) - this.#jitterMs);
    this.#rttMs[this.#rttSamples++ % RTT_SAMPLES] = rttMs;
    this.#leastRttMs = Math.min(this.#leastRttMs, rttMs);
  }

  get #recentLeastMs(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const rttMs of this.#rttMs) least = Math.min(least, rttMs);
    return least;
  }
}
