import type { LimitReason, LimitTimes } from "../../wire/session/limit-clock.ts";
import type { PathStats, SessionStats } from "../../wire/session/stats.ts";
import type { StatsEvent } from "../cli/events.ts";

/** How a session does. Of the path in use now, null while there is none or nothing is known yet: milliseconds and bytes. */
export interface SessionFigures {
  readonly rttMs: number | null;
  readonly minRttMs: number | null;
  readonly mtuBytes: number | null;
  readonly windowBytes: number | null;
  readonly bytesInFlight: number | null;
  /** Of the whole session. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly repeatedBytes: number;
  readonly sentPackets: number;
  readonly receivedPackets: number;
  readonly lostPackets: number;
  readonly spuriousPackets: number;
  readonly rekeys: number;
  readonly limitTimes: LimitTimes;
}

const NO_PATH = { rttMs: null, minRttMs: null, mtuBytes: null, windowBytes: null, bytesInFlight: null };

export function figuresOf(stats: SessionStats): SessionFigures {
  const path: typeof NO_PATH | PathStats = stats.paths.find(({ isSelected }) => isSelected) ?? NO_PATH;
  return {
    rttMs: path.rttMs,
    minRttMs: path.minRttMs,
    mtuBytes: path.mtuBytes,
    windowBytes: path.windowBytes,
    bytesInFlight: path.bytesInFlight,
    sentBytes: stats.sentBytes,
    receivedBytes: stats.receivedBytes,
    repeatedBytes: stats.repeatedBytes,
    sentPackets: stats.sentPackets,
    receivedPackets: stats.openedPackets,
    lostPackets: stats.lostPackets,
    spuriousPackets: stats.spuriousPackets,
    rekeys: stats.epoch,
    limitTimes: stats.limitTimes,
  };
}

export interface SessionRates {
  readonly sendBytesPerSecond: number;
  readonly receiveBytesPerSecond: number;
  /** What held bulk for the longest time. */
  readonly limitedBy: LimitReason;
}

/** What happened from one look at a session to the next one. */
export class RateMeter {
  #before: SessionFigures;
  #atMs: number;

  constructor(now: number, figures: SessionFigures) {
    this.#atMs = now;
    this.#before = figures;
  }

  take(now: number, figures: SessionFigures): SessionRates {
    const [before, seconds] = [this.#before, (now - this.#atMs) / 1_000];
    this.#before = figures;
    this.#atMs = now;
    const rate = (bytes: number): number => (seconds > 0 ? Math.round(bytes / seconds) : 0);
    return {
      sendBytesPerSecond: rate(figures.sentBytes - before.sentBytes),
      receiveBytesPerSecond: rate(figures.receivedBytes - before.receivedBytes),
      limitedBy: longest(timesSince(before.limitTimes, figures.limitTimes)),
    };
  }
}

export function timesSince(before: LimitTimes, after: LimitTimes): LimitTimes {
  const { application, credit, buffer, window, pacing, path } = after;
  return {
    application: application - before.application,
    credit: credit - before.credit,
    buffer: buffer - before.buffer,
    window: window - before.window,
    pacing: pacing - before.pacing,
    path: path - before.path,
  };
}

/** The fields of the event `stats` beside those that say whose session it is. */
export type StatsFields = Omit<StatsEvent, "event" | "peer" | "session" | "path" | "final">;

export function statsFields(figures: SessionFigures, rates: SessionRates): StatsFields {
  return {
    rttMs: thousandths(figures.rttMs),
    minRttMs: thousandths(figures.minRttMs),
    mtuBytes: figures.mtuBytes,
    congestionWindowBytes: figures.windowBytes === null ? null : Math.round(figures.windowBytes),
    bytesInFlight: figures.bytesInFlight,
    ...rates,
    sentBytes: figures.sentBytes,
    receivedBytes: figures.receivedBytes,
    retransmittedBytes: figures.repeatedBytes,
    packetsSent: figures.sentPackets,
    packetsReceived: figures.receivedPackets,
    packetsLost: figures.lostPackets,
    packetsLostSpuriously: figures.spuriousPackets,
    rekeys: figures.rekeys,
  };
}

function longest(times: LimitTimes): LimitReason {
  const reasons = Object.entries(times) as [LimitReason, number][];
  return reasons.reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

function thousandths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1_000) / 1_000;
}
