import type { Random } from "../core.ts";
import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import { AckAggregation } from "./ack-aggregation.ts";
import type { AckSample, CongestionController, LossSample } from "./controller.ts";
import { FullBandwidth } from "./full-bandwidth.ts";
import { InflightBounds } from "./inflight-bounds.ts";
import { LossBaseline, QUEUED_EXCESS } from "./loss-baseline.ts";
import { MinRtt } from "./min-rtt.ts";
import { ProbeCycle, type ProbePhase } from "./probe-cycle.ts";
import { RoundSignals } from "./round-signals.ts";
import { Rounds } from "./rounds.ts";
import { WindowedFilter } from "./windowed-filter.ts";

/** 4 ln 2: the least gain that doubles the rate each round. */
const STARTUP_GAIN = 2.77;
const DRAIN_GAIN = 0.5;
const PHASE_GAINS: Readonly<Record<ProbePhase, number>> = { down: 0.9, cruise: 1, refill: 1, up: 1.25 };
const WINDOW_GAIN = 2;
const UP_WINDOW_GAIN = 2.25;
const PROBE_RTT_GAIN = 0.5;
/** A little less than the estimate, so that queues shrink by and by; BBR.PacingMarginPercent. */
const PACING_MARGIN = 0.99;
const PROBE_RTT_MS = 200;
/** Bandwidth is remembered from this probe and the one before. */
const BANDWIDTH_CYCLES = 1;
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
/** A probe that loses less than this has lost it by chance, however little it sent. */
const LEAST_LOST_BYTES = 3 * MIN_DATAGRAM_BYTES;

type Mode = "startup" | "drain" | "probe-bandwidth" | "probe-rtt";

/**
 * BBR version 3, draft-ietf-ccwg-bbr: a model of the path out of its delivery rate, its lowest RTT and how much in flight it bears, not a
 * reaction to each loss. It departs from the draft where packets are lost by nature, see {@link LossBaseline}.
 */
export class Bbr implements CongestionController {
  readonly name = "bbr";
  readonly #bandwidth = new WindowedFilter(BANDWIDTH_CYCLES, (a, b) => a > b);
  readonly #baseline = new LossBaseline();
  readonly #rounds = new Rounds();
  readonly #round = new RoundSignals();
  readonly #full = new FullBandwidth();
  readonly #minRtt = new MinRtt();
  readonly #bounds = new InflightBounds();
  readonly #aggregation = new AckAggregation();
  readonly #cycle: ProbeCycle;
  #mode: Mode = "startup";
  #windowBytes = INITIAL_WINDOW_BYTES;
  /** The window before it was cut to the minimum, to come back to. */
  #priorWindowBytes = 0;
  #cycles = 0;
  #isFilled = false;
  /** And that only for a loss. */
  #isFilledByLoss = false;
  /** What is acknowledged or lost now left while we asked for more. */
  #isProbeSample = false;
  /** Probing ended, but its last packets are still on their way. */
  #isProbeEnding = false;
  #upBytes = 0;
  #upRounds = 0;
  #lostBytes = 0;
  #probeRttDoneAt: number | null = null;

  constructor(random: Random) {
    this.#cycle = new ProbeCycle(random);
  }

  get phase(): string {
    return this.#mode === "probe-bandwidth" ? `probe-bandwidth-${this.#cycle.phase}` : this.#mode;
  }

  get windowBytes(): number {
    return this.#windowBytes;
  }

  get pacingBytesPerMs(): number {
    const rttMs = this.#minRtt.ms ?? ASSUMED_RTT_MS;
    if (this.#bandwidth.value === null) return (STARTUP_GAIN * this.#windowBytes) / rttMs;
    // Before it is found, a few words that took their time say nothing of it: BBRSetPacingRateWithGain of the draft.
    const least = this.#isFilled ? MIN_WINDOW_BYTES : STARTUP_GAIN * INITIAL_WINDOW_BYTES;
    return Math.max(this.#pacingGain * this.#rate * PACING_MARGIN, least / rttMs);
  }

  onAck(sample: AckSample): void {
    const rate = sample.deliveryRate / (1 - this.#baseline.rate);
    this.#rounds.onAck(sample);
    this.#round.onAck(sample, rate);
    if (rate > 0 && (!sample.isAppLimited || rate >= this.#maxBandwidth)) this.#bandwidth.update(this.#cycles, rate);
    const mostExtra = this.#windowBytes;
    this.#aggregation.onAck(sample, this.#rounds.count, this.#rate, mostExtra);
    this.#minRtt.onAck(sample, sample.sentInFlightBytes <= MIN_WINDOW_BYTES);
    this.#adaptLongTerm(sample);
    this.#advance(sample);
    if (this.#rounds.isStart) this.#onRound(sample);
    this.#probeRtt(sample);
    this.#updateWindow(sample);
  }

  onLost(sample: LossSample): void {
    this.#lostBytes += sample.lostBytes;
    this.#round.lostBytes += sample.lostBytes;
    if (this.#isProbeSample && this.#isTooHigh(sample)) this.#onTooHigh(sample, this.#inFlightAtLoss(sample));
    if (sample.isPersistent) this.#cutWindow();
  }

  /** What was done for losses that were none is undone when all since then have come, as Linux does in bbr_undo_cwnd. */
  onSpurious(_now: number, lateBytes: number): void {
    this.#lostBytes = Math.max(0, this.#lostBytes - lateBytes);
    if (this.#lostBytes > 0) return;
    this.#bounds.undo();
    if (this.#isFilledByLoss) this.#restart();
  }

  get #maxBandwidth(): number {
    return this.#bandwidth.value ?? 0;
  }

  /** BBR.bw of the draft. */
  get #rate(): number {
    return Math.min(this.#maxBandwidth, this.#bounds.shortTermBandwidth);
  }

  get #pacingGain(): number {
    if (this.#mode === "startup") return STARTUP_GAIN;
    if (this.#mode === "drain") return DRAIN_GAIN;
    return this.#mode === "probe-rtt" ? 1 : PHASE_GAINS[this.#cycle.phase];
  }

  get #isUp(): boolean {
    return this.#mode === "probe-bandwidth" && this.#cycle.phase === "up";
  }

  get #isProbing(): boolean {
    return (
      this.#mode === "startup" || this.#isUp || (this.#mode === "probe-bandwidth" && this.#cycle.phase === "refill")
    );
  }

  get #isQueued(): boolean {
    return this.#round.isQueued(this.#minRtt.ms ?? 0);
  }

  #isTooHigh({ lostSinceBytes, sentInFlightBytes }: AckSample | LossSample): boolean {
    const isMany = lostSinceBytes >= LEAST_LOST_BYTES;
    return isMany && this.#baseline.isExceeded(lostSinceBytes, sentInFlightBytes, this.#isQueued);
  }

  /** Where in the flight the loss became too high; BBRInflightAtLoss of the draft. */
  #inFlightAtLoss({ sentInFlightBytes, lostBytes, lostSinceBytes }: LossSample): number {
    const [inFlight, lost, most] = [
      sentInFlightBytes - lostBytes,
      lostSinceBytes - lostBytes,
      this.#baseline.rate + QUEUED_EXCESS,
    ];
    return inFlight + Math.max(0, (most * inFlight - lost) / (1 - most));
  }

  #onTooHigh({ now, isAppLimited }: AckSample | LossSample, inFlightBytes: number): void {
    this.#isProbeSample = false;
    if (!isAppLimited) this.#bounds.onTooHigh(inFlightBytes, this.#targetBytes);
    if (this.#isUp) this.#startDown(now, 0);
  }

  get #targetBytes(): number {
    return Math.min(this.#bdp(1), this.#windowBytes);
  }

  /** BBRAdaptLongTermModel of the draft. */
  #adaptLongTerm(sample: AckSample): void {
    if (this.#isProbeEnding && this.#rounds.isStart) {
      this.#isProbeEnding = this.#isProbeSample = false;
      if (!sample.isAppLimited) this.#cycles++;
    }
    if (this.#isTooHigh(sample)) {
      if (this.#isProbeSample) this.#onTooHigh(sample, sample.sentInFlightBytes);
      return;
    }
    if (this.#bounds.longTermBytes === Number.POSITIVE_INFINITY) return;
    this.#bounds.onSafe(sample.sentInFlightBytes);
    if (this.#isUp) this.#raiseLongTerm(sample);
  }

  /** BBRProbeInflightLongtermUpward: one packet in the first round, then twice as many in each. */
  #raiseLongTerm(sample: AckSample): void {
    if (!this.#isWindowLimited(sample) || this.#windowBytes < this.#bounds.longTermBytes) return;
    this.#upBytes += sample.ackedBytes * 2 ** this.#upRounds * MIN_DATAGRAM_BYTES;
    const delta = Math.floor(this.#upBytes / this.#windowBytes);
    this.#upBytes -= delta * this.#windowBytes;
    this.#bounds.raise(delta);
    if (this.#rounds.isStart) this.#upRounds = Math.min(this.#upRounds + 1, 30);
  }

  #isWindowLimited({ sentInFlightBytes, bytesInFlight, ackedBytes }: AckSample): boolean {
    const roomBytes = Math.max(0.05 * this.#windowBytes, 2 * MIN_DATAGRAM_BYTES);
    return Math.max(sentInFlightBytes, bytesInFlight + ackedBytes) + roomBytes >= this.#windowBytes;
  }

  /** What may change with any ack. */
  #advance(sample: AckSample): void {
    if (this.#mode === "startup" && this.#round.isRttRising) this.#isFilled = true;
    if (this.#mode === "startup" && this.#isFilled) this.#mode = "drain";
    if (this.#mode === "drain" && sample.bytesInFlight <= this.#bdp(1)) this.#startDown(sample.now, 0);
    if (this.#mode === "probe-bandwidth") this.#advancePhase(sample);
  }

  /** BBRUpdateProbeBWCyclePhase of the draft. */
  #advancePhase(sample: AckSample): void {
    const { phase } = this.#cycle;
    if (phase === "refill" && this.#rounds.isStart) this.#startUp(sample);
    else if (phase === "up" && this.#isUpOver(sample)) this.#startDown(sample.now, sample.deliveredBytes);
    else if (phase === "down" || phase === "cruise") {
      if (this.#cycle.isDue(sample.now, this.#targetBytes)) this.#startRefill(sample);
      else if (
        phase === "down" &&
        sample.bytesInFlight <= Math.min(this.#bdp(1), this.#bounds.withHeadroom(MIN_WINDOW_BYTES))
      )
        this.#cycle.phase = "cruise";
    }
  }

  #isUpOver(sample: AckSample): boolean {
    if (this.#isWindowLimited(sample) && this.#windowBytes >= this.#bounds.longTermBytes) {
      this.#full.restart(this.#round.bandwidth);
      return false;
    }
    return this.#full.isReached;
  }

  #startDown(now: number, deliveredBytes: number): void {
    this.#mode = "probe-bandwidth";
    this.#cycle.startDown(now);
    this.#isProbeEnding = true;
    if (deliveredBytes > 0) this.#rounds.restart(deliveredBytes);
  }

  #startRefill({ deliveredBytes }: AckSample): void {
    this.#resetShortTerm();
    this.#cycle.phase = "refill";
    this.#upBytes = this.#upRounds = 0;
    this.#rounds.restart(deliveredBytes);
  }

  #startUp({ deliveredBytes }: AckSample): void {
    this.#cycle.phase = "up";
    this.#isProbeSample = true;
    this.#isProbeEnding = false;
    this.#full.restart(this.#round.bandwidth);
    this.#rounds.restart(deliveredBytes);
  }

  /** What a whole round shows. */
  #onRound(sample: AckSample): void {
    const { lostBytes, sentBytes, bandwidth } = this.#round;
    const isQueued = this.#isQueued;
    const isGrowing = this.#isSeekingMore && !sample.isAppLimited && this.#full.onRound(bandwidth);
    const isCongested = this.#baseline.isExceeded(lostBytes, sentBytes, isQueued);
    if (this.#mode === "startup")
      this.#endStartup(isQueued ? isCongested : !isGrowing && this.#baseline.isUnnatural(lostBytes, sentBytes));
    else if (!this.#isProbing && isCongested)
      this.#bounds.onCongestedRound(this.#round, this.#windowBytes, this.#maxBandwidth);
    if (!isQueued && (!this.#isSeekingMore || isGrowing)) this.#baseline.onRound(sample.now, lostBytes, sentBytes);
    this.#cycle.onRound();
    this.#round.begin();
  }

  get #isSeekingMore(): boolean {
    return this.#mode === "startup" || this.#isUp;
  }

  #resetShortTerm(): void {
    this.#bounds.resetShortTerm();
    this.#lostBytes = 0;
    this.#isFilledByLoss = false;
  }

  #restart(): void {
    this.#isFilled = this.#isFilledByLoss = false;
    this.#mode = "startup";
    this.#full.restart(0);
  }

  #endStartup(isLossy: boolean): void {
    this.#isFilledByLoss = isLossy;
    if (isLossy) this.#bounds.onTooHigh(Math.max(this.#bdp(1), this.#round.inflightBytes), 0);
    this.#isFilled ||= isLossy || this.#full.isReached;
  }

  #probeRtt(sample: AckSample): void {
    if (this.#minRtt.isProbeDue && this.#mode !== "probe-rtt") this.#enterProbeRtt();
    if (this.#mode === "probe-rtt") this.#passProbeRtt(sample);
  }

  #enterProbeRtt(): void {
    this.#priorWindowBytes = Math.max(this.#priorWindowBytes, this.#windowBytes);
    this.#mode = "probe-rtt";
    this.#probeRttDoneAt = null;
  }

  /** The queue is to run empty: 200 ms at half the usual flight, counted from when it got there. */
  #passProbeRtt({ now, bytesInFlight }: AckSample): void {
    if (this.#probeRttDoneAt === null) {
      if (bytesInFlight <= this.#probeRttWindow) this.#probeRttDoneAt = now + PROBE_RTT_MS;
    } else if (now >= this.#probeRttDoneAt) {
      this.#minRtt.onProbed(now);
      this.#restoreWindow();
      this.#resetShortTerm();
      if (!this.#isFilled) this.#mode = "startup";
      else {
        this.#startDown(now, 0);
        this.#cycle.phase = "cruise";
      }
    }
  }

  get #probeRttWindow(): number {
    return Math.max(this.#bdp(PROBE_RTT_GAIN), MIN_WINDOW_BYTES);
  }

  #updateWindow(sample: AckSample): void {
    if (this.#mode !== "probe-rtt" && sample.ackedBytes > 0) this.#restoreWindow();
    const extraBytes = this.#isFilled ? this.#aggregation.extraBytes : 0;
    const most = this.#bdp(this.#isUp ? UP_WINDOW_GAIN : WINDOW_GAIN) + extraBytes + this.#slackBytes;
    const grown = this.#windowBytes + sample.ackedBytes;
    if (this.#isFilled) this.#windowBytes = Math.min(grown, most);
    else if (this.#windowBytes < most || sample.deliveredBytes < INITIAL_WINDOW_BYTES) this.#windowBytes = grown;
    this.#windowBytes = Math.max(Math.min(this.#windowBytes, this.#mostBytes), MIN_WINDOW_BYTES);
    if (this.#mode === "probe-rtt") this.#windowBytes = Math.min(this.#windowBytes, this.#probeRttWindow);
  }

  /** BBRBoundCwndForModel of the draft. */
  get #mostBytes(): number {
    const { longTermBytes, shortTermBytes } = this.#bounds;
    const isCareful =
      this.#mode === "probe-rtt" || (this.#mode === "probe-bandwidth" && this.#cycle.phase === "cruise");
    return Math.min(isCareful ? this.#bounds.withHeadroom(MIN_WINDOW_BYTES) : longTermBytes, shortTermBytes);
  }

  /** Bytes in flight that keep `gain` times the estimated path full. */
  #bdp(gain: number): number {
    if (this.#bandwidth.value === null || this.#minRtt.ms === null) return INITIAL_WINDOW_BYTES;
    return gain * this.#rate * this.#minRtt.ms;
  }

  get #slackBytes(): number {
    return Math.max(SLACK_BYTES, QUANTA * Math.min(this.#maxBandwidth * QUANTUM_MS, MAX_QUANTUM_BYTES));
  }

  #cutWindow(): void {
    this.#priorWindowBytes = Math.max(this.#priorWindowBytes, this.#windowBytes);
    this.#windowBytes = MIN_WINDOW_BYTES;
  }

  #restoreWindow(): void {
    this.#windowBytes = Math.max(this.#windowBytes, this.#priorWindowBytes);
    this.#priorWindowBytes = 0;
  }
}
