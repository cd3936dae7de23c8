import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { AckSample, CongestionController } from "./controller.ts";
import { LossBaseline } from "./loss-baseline.ts";
import { WindowedFilter } from "./windowed-filter.ts";

/** 2 / ln 2: the least gain that doubles the rate each round. */
const STARTUP_GAIN = 2.885;
const WINDOW_GAIN = 2;
/** One phase above the estimate to look for more, one below to drain what that queued, then six at it. */
const PROBE_GAINS = [1.25, 0.75, 1, 1, 1, 1, 1, 1];
const BANDWIDTH_ROUNDS = 10;
const MIN_RTT_WINDOW_MS = 10_000;
const PROBE_RTT_MS = 200;
const INITIAL_WINDOW_BYTES = 32 * MIN_DATAGRAM_BYTES;
const MIN_WINDOW_BYTES = 4 * MIN_DATAGRAM_BYTES;
/** Room beyond the product of bandwidth and delay, at least. */
const SLACK_BYTES = 8 * MIN_DATAGRAM_BYTES;
/**
 * What leaves in one go, and is acknowledged in one: so many of them fill the time between a burst and its ack, as the draft's
 * BBR.offload_budget. Without it a path of 0.1 ms never gets beyond what fits into that time, however fast it is.
 */
const QUANTA = 3;
const QUANTUM_MS = 1;
const MAX_QUANTUM_BYTES = 65_507;
/** Rate of the very first packets, until there is an RTT. Milliseconds. */
const ASSUMED_RTT_MS = 100;
/** Startup is over when this many rounds in a row brought less than a quarter more. */
const FULL_ROUNDS = 3;

type Mode = "startup" | "drain" | "probe-bandwidth" | "probe-rtt";

/**
 * After BBR version 1 (draft-cardwell-iccrg-bbr-congestion-control-00): a model of the path out of its highest recent delivery rate and
 * lowest recent RTT, not a reaction to loss. It departs from it where much is lost by nature: delivery rates are raised by
 * {@link LossBaseline}, because a probe at 1.25 of the estimate shows nothing where a fifth or more never arrives.
 */
export class Bbr implements CongestionController {
  readonly name = "bbr";
  readonly #bandwidth = new WindowedFilter(BANDWIDTH_ROUNDS, (a, b) => a > b);
  readonly #baseline = new LossBaseline();
  #mode: Mode = "startup";
  #windowBytes = INITIAL_WINDOW_BYTES;
  /** The window before it was cut to the minimum, to come back to. */
  #priorWindowBytes = 0;
  #minRttMs: number | null = null;
  #minRttAt = 0;
  #round = 0;
  #roundEndsAtDelivered = 0;
  #isRoundStart = false;
  #fullBandwidth = 0;
  #fullRounds = 0;
  #isFilled = false;
  #phase = 0;
  #phaseStartedAt = 0;
  #lostInPhase = false;
  #probeRttDoneAt: number | null = null;

  get phase(): string {
    return this.#mode;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get pacingBytesPerMs(): number {
    const bandwidth = this.#bandwidth.value;
    const rttMs = this.#minRttMs ?? ASSUMED_RTT_MS;
    if (bandwidth === null) return (STARTUP_GAIN * this.#windowBytes) / rttMs;
    return Math.max(this.#pacingGain * bandwidth, MIN_WINDOW_BYTES / rttMs);
  }

  onAck(sample: AckSample): void {
    this.#baseline.count(sample.ackedBytes, 0);
    this.#countRound(sample);
    this.#updateBandwidth(sample);
    this.#checkFilled(sample);
    this.#updateMode(sample);
    this.#updateMinRtt(sample);
    this.#updateWindow(sample);
  }

  onLost(_now: number, lostBytes: number, isPersistent: boolean): void {
    this.#baseline.count(0, lostBytes);
    this.#lostInPhase = true;
    if (isPersistent) this.#cutWindow();
  }

  get #pacingGain(): number {
    if (this.#mode === "startup") return STARTUP_GAIN;
    if (this.#mode === "drain") return 1 / STARTUP_GAIN;
    return this.#mode === "probe-rtt" ? 1 : (PROBE_GAINS[this.#phase] ?? 1);
  }

  #countRound(sample: AckSample): void {
    this.#isRoundStart = sample.priorDeliveredBytes >= this.#roundEndsAtDelivered;
    if (!this.#isRoundStart) return;
    this.#round++;
    this.#roundEndsAtDelivered = sample.deliveredBytes;
  }

  #updateBandwidth(sample: AckSample): void {
    const rate = sample.deliveryRate / (1 - this.#baseline.rate);
    if (rate > 0 && (!sample.isAppLimited || rate >= (this.#bandwidth.value ?? 0)))
      this.#bandwidth.update(this.#round, rate);
  }

  #checkFilled(sample: AckSample): void {
    if (this.#isFilled || !this.#isRoundStart || sample.isAppLimited) return;
    const bandwidth = this.#bandwidth.value ?? 0;
    if (bandwidth >= this.#fullBandwidth * 1.25) {
      this.#fullBandwidth = bandwidth;
      this.#fullRounds = 0;
    } else this.#isFilled = ++this.#fullRounds >= FULL_ROUNDS;
  }

  #updateMode(sample: AckSample): void {
    if (this.#mode === "startup" && this.#isFilled) this.#mode = "drain";
    if (this.#mode === "drain" && sample.bytesInFlight <= this.#target(1)) this.#probeBandwidth(sample.now);
    if (this.#mode === "probe-bandwidth" && this.#isPhaseOver(sample)) this.#nextPhase(sample.now);
  }

  #isPhaseOver(sample: AckSample): boolean {
    const isLongEnough = sample.now - this.#phaseStartedAt > (this.#minRttMs ?? 0);
    if (this.#pacingGain > 1)
      return isLongEnough && (this.#lostInPhase || sample.bytesInFlight >= this.#target(this.#pacingGain));
    if (this.#pacingGain < 1) return isLongEnough || sample.bytesInFlight <= this.#target(1);
    return isLongEnough;
  }

  #probeBandwidth(now: number): void {
    this.#mode = "probe-bandwidth";
    this.#phase = 1;
    this.#nextPhase(now);
  }

  #nextPhase(now: number): void {
    this.#baseline.endPhase(MIN_DATAGRAM_BYTES);
    this.#phase = (this.#phase + 1) % PROBE_GAINS.length;
    this.#phaseStartedAt = now;
    this.#lostInPhase = false;
  }

  #updateMinRtt({ now, rttMs, bytesInFlight }: AckSample): void {
    const isStale = this.#minRttMs !== null && now > this.#minRttAt + MIN_RTT_WINDOW_MS;
    if (rttMs !== null && (this.#minRttMs === null || rttMs <= this.#minRttMs || isStale)) {
      this.#minRttMs = Math.max(rttMs, 0.01);
      this.#minRttAt = now;
    }
    if (isStale && this.#mode !== "probe-rtt") this.#enterProbeRtt();
    if (this.#mode === "probe-rtt") this.#passProbeRtt(now, bytesInFlight);
  }

  #enterProbeRtt(): void {
    this.#priorWindowBytes = Math.max(this.#priorWindowBytes, this.#windowBytes);
    this.#mode = "probe-rtt";
    this.#probeRttDoneAt = null;
  }

  /** The queue is to run empty: 200 ms at half the usual flight, counted from when it got there. */
  #passProbeRtt(now: number, bytesInFlight: number): void {
    if (this.#probeRttDoneAt === null) {
      if (bytesInFlight <= this.#probeRttWindow) this.#probeRttDoneAt = now + PROBE_RTT_MS;
    } else if (now >= this.#probeRttDoneAt) {
      this.#minRttAt = now;
      this.#restoreWindow();
      if (this.#isFilled) this.#probeBandwidth(now);
      else this.#mode = "startup";
    }
  }

  get #probeRttWindow(): number {
    return Math.max(this.#target(0.5), MIN_WINDOW_BYTES);
  }

  #updateWindow(sample: AckSample): void {
    this.#restoreWindowAfterCut(sample);
    const target = this.#target(this.#isFilled ? WINDOW_GAIN : STARTUP_GAIN) + this.#slackBytes;
    const grown = this.#windowBytes + sample.ackedBytes;
    if (this.#isFilled) this.#windowBytes = Math.min(grown, target);
    else if (this.#windowBytes < target || sample.deliveredBytes < INITIAL_WINDOW_BYTES) this.#windowBytes = grown;
    this.#windowBytes = Math.max(this.#windowBytes, MIN_WINDOW_BYTES);
    if (this.#mode === "probe-rtt") this.#windowBytes = Math.min(this.#windowBytes, this.#probeRttWindow);
  }

  /** Bytes in flight that keep `gain` times the estimated path full. */
  #target(gain: number): number {
    const bandwidth = this.#bandwidth.value;
    if (bandwidth === null || this.#minRttMs === null) return INITIAL_WINDOW_BYTES;
    return gain * bandwidth * this.#minRttMs;
  }

  get #slackBytes(): number {
    const quantum = Math.min((this.#bandwidth.value ?? 0) * QUANTUM_MS, MAX_QUANTUM_BYTES);
    return Math.max(SLACK_BYTES, QUANTA * quantum);
  }

  #cutWindow(): void {
    this.#priorWindowBytes = Math.max(this.#priorWindowBytes, this.#windowBytes);
    this.#windowBytes = MIN_WINDOW_BYTES;
  }

  /** Something came through again. */
  #restoreWindowAfterCut(sample: AckSample): void {
    if (sample.ackedBytes > 0 && this.#mode !== "probe-rtt") this.#restoreWindow();
  }

  #restoreWindow(): void {
    this.#windowBytes = Math.max(this.#windowBytes, this.#priorWindowBytes);
    this.#priorWindowBytes = 0;
  }
}
