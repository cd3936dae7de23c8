import { MIN_DATAGRAM_BYTES } from "../limits.ts";
import type { RoundSignals } from "./round-signals.ts";

/** A cut, and the room left to others below what once was too much; as the draft's BBR.Beta and BBR.Headroom. */
const BETA = 0.7;
const HEADROOM = 0.15;
const MAX_DOUBLINGS = 30;
const NONE = Number.POSITIVE_INFINITY;

interface Bounds {
  longTermBytes: number;
  shortTermBytes: number;
  shortTermBandwidth: number;
}

/**
 * What loss says about the path, in two spans of time as the draft's inflight_longterm, inflight_shortterm and bw_shortterm: how much in
 * flight was too much when we last asked for more, and what the losses since ask us to do with less.
 */
export class InflightBounds {
  #bounds: Bounds = { longTermBytes: NONE, shortTermBytes: NONE, shortTermBandwidth: NONE };
  /** As before the first loss that was acted upon since, with what was lost then. */
  #undo: Bounds | null = null;
  #upBytes = 0;
  #upRounds = 0;

  get longTermBytes(): number {
    return this.#bounds.longTermBytes;
  }

  get shortTermBytes(): number {
    return this.#bounds.shortTermBytes;
  }

  get shortTermBandwidth(): number {
    return this.#bounds.shortTermBandwidth;
  }

  /** Room for others. */
  withHeadroom(leastBytes: number): number {
    return Math.max(leastBytes, (1 - HEADROOM) * this.#bounds.longTermBytes);
  }

  /** So much in flight, less than this and no more than before it, lost too much. */
  onTooHigh(inFlightBytes: number, targetBytes: number): void {
    this.#remember();
    this.#bounds.longTermBytes = Math.max(inFlightBytes, BETA * targetBytes);
  }

  /** So much did no harm. */
  onSafe(inFlightBytes: number): void {
    if (this.#bounds.longTermBytes < inFlightBytes) this.#bounds.longTermBytes = inFlightBytes;
  }

  startProbe(): void {
    this.#upBytes = this.#upRounds = 0;
  }

  /** A probe is held back by the bound: one packet more in the first round, then twice as many in each; BBRProbeInflightLongtermUpward. */
  probeUpward(ackedBytes: number, windowBytes: number, isRoundStart: boolean): void {
    this.#upBytes += ackedBytes * 2 ** this.#upRounds * MIN_DATAGRAM_BYTES;
    const delta = Math.floor(this.#upBytes / windowBytes);
    this.#upBytes -= delta * windowBytes;
    this.#bounds.longTermBytes += delta;
    if (isRoundStart) this.#upRounds = Math.min(this.#upRounds + 1, MAX_DOUBLINGS);
  }

  /** A round that was not to find more lost too much: down to what came through, but not by more than a cut. */
  onCongestedRound(round: RoundSignals, windowBytes: number, bandwidth: number): void {
    this.#remember();
    const before = this.#bounds;
    const [bytes, rate] = [
      Math.min(before.shortTermBytes, windowBytes),
      Math.min(before.shortTermBandwidth, bandwidth),
    ];
    before.shortTermBytes = Math.max(round.inflightBytes, BETA * bytes);
    before.shortTermBandwidth = Math.max(round.bandwidth, BETA * rate);
  }

  /** What was too much for a while may not be any more; and losses so far are not taken back. */
  resetShortTerm(): void {
    this.#undo = null;
    this.#bounds.shortTermBytes = this.#bounds.shortTermBandwidth = NONE;
  }

  /** What was lost was only late. */
  undo(): void {
    if (this.#undo !== null) this.#bounds = this.#undo;
    this.#undo = null;
  }

  #remember(): void {
    this.#undo ??= { ...this.#bounds };
  }
}
