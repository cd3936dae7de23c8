import { MAX_BURST_BYTES, MIN_DATAGRAM_BYTES } from "../limits.ts";
import { AckAggregation } from "./ack-aggregation.ts";
import type { AckSample, LossSample } from "./controller.ts";
import { InflightBounds } from "./inflight-bounds.ts";
import { LossBaseline, QUEUED_EXCESS } from "./loss-baseline.ts";
import { MinRtt } from "./min-rtt.ts";
import { RoundSignals } from "./round-signals.ts";
import { Rounds } from "./rounds.ts";
import { WindowedFilter } from "./windowed-filter.ts";

export const INITIAL_WINDOW_BYTES = 32 * MIN_DATAGRAM_BYTES;
export const MIN_WINDOW_BYTES = 4 * MIN_DATAGRAM_BYTES;
/** Bandwidth is remembered from this probe and the one before. */
const BANDWIDTH_CYCLES = 1;
/** Room beyond the product of bandwidth and delay, at least. */
const SLACK_BYTES = 8 * MIN_DATAGRAM_BYTES;
/**
 * What leaves in one go, and is acknowledged in one: so many of them fill the time between a burst and its ack, as the draft's
 * BBR.offload_budget. Without it a path of 0.1 ms never gets beyond what fits into that time, however fast it is.
 */
const QUANTA = 3;
const QUANTUM_MS = 1;
/** A probe that loses less than this has lost it by chance, however little it sent. */
const LEAST_LOST_BYTES = 3 * MIN_DATAGRAM_BYTES;

/** All that BBR knows of a path, §4.5 of the draft: how fast it is, how long, how much in flight it bears, and what it loses by nature. */
export class PathModel {
  readonly baseline = new LossBaseline();
  readonly rounds = new Rounds();
  readonly round = new RoundSignals();
  readonly minRtt = new MinRtt();
  readonly bounds = new InflightBounds();
  readonly #aggregation = new AckAggregation();
  readonly #bandwidth = new WindowedFilter(BANDWIDTH_CYCLES, (a, b) => a > b);
  #cycles = 0;

  onAck(sample: AckSample, windowBytes: number): void {
    const rate = sample.deliveryRate / (1 - this.baseline.rate);
    this.rounds.onAck(sample);
    this.round.onAck(sample, rate);
    if (rate > 0 && (!sample.isAppLimited || rate >= this.maxBandwidth)) this.#bandwidth.update(this.#cycles, rate);
    this.#aggregation.onAck(sample, this.rounds.count, this.rate, windowBytes);
    this.minRtt.onAck(sample, sample.sentInFlightBytes <= MIN_WINDOW_BYTES);
  }

  /** A probe has shown what it could: what the one before the last showed is forgotten. */
  endCycle(): void {
    this.#cycles++;
  }

  get hasBandwidth(): boolean {
    return this.#bandwidth.value !== null;
  }

  get maxBandwidth(): number {
    return this.#bandwidth.value ?? 0;
  }

  /** BBR.bw of the draft. Bytes per ms. */
  get rate(): number {
    return Math.min(this.maxBandwidth, this.bounds.shortTermBandwidth);
  }

  get isQueued(): boolean {
    return this.round.isQueued(this.minRtt.ms ?? 0);
  }

  /** Bytes in flight that keep `gain` times the estimated path full. */
  bdp(gain: number): number {
    return this.hasBandwidth && this.minRtt.ms !== null ? gain * this.rate * this.minRtt.ms : INITIAL_WINDOW_BYTES;
  }

  get slackBytes(): number {
    return Math.max(SLACK_BYTES, QUANTA * Math.min(this.maxBandwidth * QUANTUM_MS, MAX_BURST_BYTES));
  }

  /** By which acks run ahead. */
  get extraBytes(): number {
    return this.#aggregation.extraBytes;
  }

  /** So much in flight lost too much. */
  isTooHigh({ lostSinceBytes, sentInFlightBytes }: AckSample | LossSample): boolean {
    const isMany = lostSinceBytes >= LEAST_LOST_BYTES;
    return isMany && this.baseline.isExceeded(lostSinceBytes, sentInFlightBytes, this.isQueued);
  }

  /** Where in the flight the loss became too high; BBRInflightAtLoss of the draft. */
  inFlightAtLoss({ sentInFlightBytes, lostBytes, lostSinceBytes }: LossSample): number {
    const [inFlight, lost] = [sentInFlightBytes - lostBytes, lostSinceBytes - lostBytes];
    const most = this.baseline.rate + QUEUED_EXCESS;
    return inFlight + Math.max(0, (most * inFlight - lost) / (1 - most));
  }
}
