import type { AckSample } from "../../src/wire/congestion/controller.ts";

/** RFC 9406 §4.3. */
const [MIN_THRESHOLD_MS, MAX_THRESHOLD_MS] = [4, 16];
const SAMPLES = 8;
const CAUTIOUS_GROWTH = 1 / 4;
const CAUTIOUS_ROUNDS = 5;

/** HyStart++, RFC 9406: slow start ends when the least RTT of a round rises, before the queue is full. */
export class HyStart {
  #roundEndsAtDelivered = 0;
  #lastRttMs = Number.POSITIVE_INFINITY;
  #rttMs = Number.POSITIVE_INFINITY;
  #samples = 0;
  /** The RTT that made it cautious; null while it is not. */
  #baselineMs: number | null = null;
  #cautiousRounds = 0;

  /** How much of what was acked the window grows by, and whether this was the last time. */
  onAck(sample: AckSample): { readonly growth: number; readonly isOver: boolean } {
    if (sample.priorDeliveredBytes >= this.#roundEndsAtDelivered) this.#beginRound(sample.deliveredBytes);
    if (sample.rttMs !== null) this.#onRtt(sample.rttMs);
    const isCautious = this.#baselineMs !== null;
    return { growth: isCautious ? CAUTIOUS_GROWTH : 1, isOver: isCautious && this.#cautiousRounds >= CAUTIOUS_ROUNDS };
  }

  #beginRound(deliveredBytes: number): void {
    this.#roundEndsAtDelivered = deliveredBytes;
    this.#lastRttMs = this.#rttMs;
    this.#rttMs = Number.POSITIVE_INFINITY;
    this.#samples = 0;
    if (this.#baselineMs !== null) this.#cautiousRounds++;
  }

  #onRtt(rttMs: number): void {
    this.#rttMs = Math.min(this.#rttMs, rttMs);
    if (++this.#samples < SAMPLES) return;
    if (this.#baselineMs !== null && this.#rttMs < this.#baselineMs) this.#baselineMs = null;
    const threshold = Math.max(MIN_THRESHOLD_MS, Math.min(this.#lastRttMs / 8, MAX_THRESHOLD_MS));
    if (this.#baselineMs !== null || this.#rttMs < this.#lastRttMs + threshold) return;
    this.#baselineMs = this.#rttMs;
    this.#cautiousRounds = 0;
  }
}
