import type { Random } from "../core.ts";
import { CongestionWindow } from "./congestion-window.ts";
import type { AckSample, CongestionController, LossSample } from "./controller.ts";
import { FullBandwidth } from "./full-bandwidth.ts";
import { INITIAL_WINDOW_BYTES, MIN_WINDOW_BYTES, PathModel } from "./path-model.ts";
import { ProbeCycle, type ProbePhase } from "./probe-cycle.ts";

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
/** Rate of the very first packets, until there is an RTT. Milliseconds. */
const ASSUMED_RTT_MS = 100;

export interface BbrOptions {
  /** TCP carries the packets, and while its own window grows each of them waits longer than the one before: no sign of a full path. Default false. */
  readonly overTcp?: boolean;
}

type Mode = "startup" | "drain" | "probe-bandwidth" | "probe-rtt";

/**
 * BBR version 3, draft-ietf-ccwg-bbr: a model of the path out of its delivery rate, its lowest RTT and how much in flight it bears, not a
 * reaction to each loss. It departs from the draft where packets are lost by nature, see {@link LossBaseline}.
 */
export class Bbr implements CongestionController {
  readonly name = "bbr";
  readonly #model = new PathModel();
  readonly #window = new CongestionWindow();
  readonly #full = new FullBandwidth();
  readonly #cycle: ProbeCycle;
  readonly #trustsRtt: boolean;
  #mode: Mode = "startup";
  #isFilled = false;
  /** And that only for a loss. */
  #isFilledByLoss = false;
  /** What is acknowledged or lost now left while we asked for more. */
  #isProbeSample = false;
  /** Probing ended, but its last packets are still on their way. */
  #isProbeEnding = false;
  /** Since the last probe, or what undid the effect of losses. */
  #lostBytes = 0;
  #probeRttDoneAt: number | null = null;

  constructor(random: Random, { overTcp = false }: BbrOptions = {}) {
    this.#cycle = new ProbeCycle(random);
    this.#trustsRtt = !overTcp;
  }

  get phase(): string {
    return this.#mode === "probe-bandwidth" ? `probe-bandwidth-${this.#cycle.phase}` : this.#mode;
  }

  get windowBytes(): number {
    return this.#window.bytes;
  }

  get pacingBytesPerMs(): number {
    const rttMs = this.#model.minRtt.ms ?? ASSUMED_RTT_MS;
    if (!this.#model.hasBandwidth) return (STARTUP_GAIN * this.#window.bytes) / rttMs;
    // Before it is found, a few words that took their time say nothing of it: BBRSetPacingRateWithGain of the draft.
    const least = this.#isFilled ? MIN_WINDOW_BYTES : STARTUP_GAIN * INITIAL_WINDOW_BYTES;
    return Math.max(this.#pacingGain * this.#model.rate * PACING_MARGIN, least / rttMs);
  }

  onAck(sample: AckSample): void {
    this.#model.onAck(sample, this.#window.bytes);
    this.#adaptLongTerm(sample);
    this.#advance(sample);
    if (this.#model.rounds.isStart) this.#onRound(sample);
    this.#probeRtt(sample);
    this.#updateWindow(sample);
  }

  onLost(sample: LossSample): void {
    this.#lostBytes += sample.lostBytes;
    this.#model.round.lostBytes += sample.lostBytes;
    if (this.#isProbeSample && this.#model.isTooHigh(sample))
      this.#onTooHigh(sample, this.#model.inFlightAtLoss(sample));
    if (sample.isPersistent) this.#window.cut();
  }

  /** What was done for losses that were none is undone when all since then have come, as Linux does in bbr_undo_cwnd. */
  onSpurious(_now: number, lateBytes: number): void {
    this.#lostBytes = Math.max(0, this.#lostBytes - lateBytes);
    if (this.#lostBytes > 0) return;
    this.#model.bounds.undo();
    if (this.#isFilledByLoss) this.#restart();
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

  #onTooHigh({ now, isAppLimited }: AckSample | LossSample, inFlightBytes: number): void {
    this.#isProbeSample = false;
    if (!isAppLimited) this.#model.bounds.onTooHigh(inFlightBytes, this.#targetBytes);
    if (this.#isUp) this.#startDown(now, 0);
  }

  get #targetBytes(): number {
    return Math.min(this.#model.bdp(1), this.#window.bytes);
  }

  /** BBRAdaptLongTermModel of the draft. */
  #adaptLongTerm(sample: AckSample): void {
    const { bounds, rounds } = this.#model;
    if (this.#isProbeEnding && rounds.isStart) {
      this.#isProbeEnding = this.#isProbeSample = false;
      if (!sample.isAppLimited) this.#model.endCycle();
    }
    if (this.#model.isTooHigh(sample)) {
      if (this.#isProbeSample) this.#onTooHigh(sample, sample.sentInFlightBytes);
      return;
    }
    if (bounds.longTermBytes === Number.POSITIVE_INFINITY) return;
    bounds.onSafe(sample.sentInFlightBytes);
    if (this.#isUp && this.#isAtBound(sample))
      bounds.probeUpward(sample.ackedBytes, this.#window.bytes, rounds.isStart);
  }

  /** What may change with any ack. */
  #advance(sample: AckSample): void {
    if (this.#mode === "startup" && this.#trustsRtt && this.#model.round.isRttRising) this.#isFilled = true;
    if (this.#mode === "startup" && this.#isFilled) this.#mode = "drain";
    if (this.#mode === "drain" && sample.bytesInFlight <= this.#model.bdp(1)) this.#startDown(sample.now, 0);
    if (this.#mode === "probe-bandwidth") this.#advancePhase(sample);
  }

  /** BBRUpdateProbeBWCyclePhase of the draft. */
  #advancePhase(sample: AckSample): void {
    const { phase } = this.#cycle;
    if (phase === "refill" && this.#model.rounds.isStart) this.#startUp(sample);
    else if (phase === "up" && this.#isUpOver(sample)) this.#startDown(sample.now, sample.deliveredBytes);
    else if (phase === "down" || phase === "cruise") {
      if (this.#cycle.isDue(sample.now, this.#targetBytes)) this.#startRefill(sample);
      else if (
        phase === "down" &&
        sample.bytesInFlight <= Math.min(this.#model.bdp(1), this.#model.bounds.withHeadroom(MIN_WINDOW_BYTES))
      )
        this.#cycle.phase = "cruise";
    }
  }

  #isUpOver(sample: AckSample): boolean {
    if (!this.#isAtBound(sample)) return this.#full.isReached;
    this.#full.restart(this.#model.round.bandwidth);
    return false;
  }

  /** What is in flight is as much as the long-term bound allows, and not what the rate brings with it. */
  #isAtBound(sample: AckSample): boolean {
    return this.#window.isLimiting(sample) && this.#window.bytes >= this.#model.bounds.longTermBytes;
  }

  #startDown(now: number, deliveredBytes: number): void {
    this.#mode = "probe-bandwidth";
    this.#cycle.startDown(now);
    this.#isProbeEnding = true;
    if (deliveredBytes > 0) this.#model.rounds.restart(deliveredBytes);
  }

  #startRefill({ deliveredBytes }: AckSample): void {
    this.#resetShortTerm();
    this.#cycle.phase = "refill";
    this.#model.bounds.startProbe();
    this.#model.rounds.restart(deliveredBytes);
  }

  #startUp({ deliveredBytes }: AckSample): void {
    this.#cycle.phase = "up";
    this.#isProbeSample = true;
    this.#isProbeEnding = false;
    this.#full.restart(this.#model.round.bandwidth);
    this.#model.rounds.restart(deliveredBytes);
  }

  /** What a whole round shows. */
  #onRound(sample: AckSample): void {
    const { lostBytes, sentBytes, bandwidth } = this.#model.round;
    const isQueued = this.#model.isQueued;
    const isGrowing = this.#isSeekingMore && !sample.isAppLimited && this.#full.onRound(bandwidth);
    const isCongested = this.#model.baseline.isExceeded(lostBytes, sentBytes, isQueued);
    if (this.#mode === "startup")
      this.#endStartup(isQueued ? isCongested : !isGrowing && this.#model.baseline.isUnnatural(lostBytes, sentBytes));
    else if (!this.#isProbing && isCongested)
      this.#model.bounds.onCongestedRound(this.#model.round, this.#window.bytes, this.#model.maxBandwidth);
    if (!isQueued && (!this.#isSeekingMore || isGrowing))
      this.#model.baseline.onRound(sample.now, lostBytes, sentBytes);
    this.#cycle.onRound();
    this.#model.round.begin();
  }

  get #isSeekingMore(): boolean {
    return this.#mode === "startup" || this.#isUp;
  }

  #resetShortTerm(): void {
    this.#model.bounds.resetShortTerm();
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
    if (isLossy) this.#model.bounds.onTooHigh(Math.max(this.#model.bdp(1), this.#model.round.inflightBytes), 0);
    this.#isFilled ||= isLossy || this.#full.isReached;
  }

  #probeRtt(sample: AckSample): void {
    if (this.#model.minRtt.isProbeDue && this.#mode !== "probe-rtt") this.#enterProbeRtt();
    if (this.#mode === "probe-rtt") this.#passProbeRtt(sample);
  }

  #enterProbeRtt(): void {
    this.#window.save();
    this.#mode = "probe-rtt";
    this.#probeRttDoneAt = null;
  }

  /** The queue is to run empty: 200 ms at half the usual flight, counted from when it got there. */
  #passProbeRtt({ now, bytesInFlight }: AckSample): void {
    if (this.#probeRttDoneAt === null) {
      if (bytesInFlight <= this.#probeRttWindow) this.#probeRttDoneAt = now + PROBE_RTT_MS;
    } else if (now >= this.#probeRttDoneAt) {
      this.#model.minRtt.onProbed(now);
      this.#window.restore();
      this.#resetShortTerm();
      if (!this.#isFilled) this.#mode = "startup";
      else {
        this.#startDown(now, 0);
        this.#cycle.phase = "cruise";
      }
    }
  }

  get #probeRttWindow(): number {
    return Math.max(this.#model.bdp(PROBE_RTT_GAIN), MIN_WINDOW_BYTES);
  }

  #updateWindow(sample: AckSample): void {
    if (this.#mode !== "probe-rtt" && sample.ackedBytes > 0) this.#window.restore();
    const extraBytes = this.#isFilled ? this.#model.extraBytes : 0;
    const gain = this.#isUp ? UP_WINDOW_GAIN : WINDOW_GAIN;
    this.#window.grow(sample, this.#model.bdp(gain) + extraBytes + this.#model.slackBytes, this.#isFilled);
    this.#window.bound(this.#mostBytes);
    if (this.#mode === "probe-rtt") this.#window.bound(this.#probeRttWindow);
  }

  /** BBRBoundCwndForModel of the draft. */
  get #mostBytes(): number {
    const { longTermBytes, shortTermBytes } = this.#model.bounds;
    const isCareful =
      this.#mode === "probe-rtt" || (this.#mode === "probe-bandwidth" && this.#cycle.phase === "cruise");
    return Math.min(isCareful ? this.#model.bounds.withHeadroom(MIN_WINDOW_BYTES) : longTermBytes, shortTermBytes);
  }
}
