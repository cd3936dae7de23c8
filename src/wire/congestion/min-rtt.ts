import type { AckSample } from "./controller.ts";

/** How long the lowest sample stands, and after how long without one about as low the queue is made to run empty. Milliseconds. */
const WINDOW_MS = 10_000;
const PROBE_INTERVAL_MS = 5_000;
/** As good as the lowest: bursts of our own make as much of a difference. */
const SIMILAR = 1 / 32;
const LEAST_MS = 0.01;

/** The path's RTT without its queue: BBR.min_rtt and BBR.probe_rtt_min_delay of the draft. Milliseconds. */
export class MinRtt {
  /** Null before the first sample. */
  ms: number | null = null;
  /** Nothing about as low as the minimum came for so long that ProbeRTT is due. */
  isProbeDue = false;
  #at = 0;
  #recentMs = Number.POSITIVE_INFINITY;
  #recentAt = 0;
  #similarAt = 0;

  /** `isUnqueued`: nothing else of ours was on its way, so that the sample is as good as a probe. */
  onAck({ now, rttMs }: AckSample, isUnqueued: boolean): void {
    const isExpired = now > Math.max(this.#recentAt, this.#similarAt) + PROBE_INTERVAL_MS;
    this.isProbeDue = isExpired && this.ms !== null && !isUnqueued;
    if (rttMs === null) return;
    if (this.ms !== null && rttMs <= this.ms * (1 + SIMILAR)) this.#similarAt = now;
    if (rttMs <= this.#recentMs || isExpired) {
      this.#recentMs = Math.max(rttMs, LEAST_MS);
      this.#recentAt = now;
    }
    const isOld = now > Math.max(this.#at, this.#similarAt) + WINDOW_MS;
    if (this.ms !== null && this.#recentMs > this.ms && !isOld) return;
    this.ms = this.#recentMs;
    this.#at = this.#recentAt;
  }

  /** The queue has been empty, as far as it is ours. */
  onProbed(now: number): void {
    this.#recentAt = now;
  }
}
