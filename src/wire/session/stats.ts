import type { LimitClock, LimitReason, LimitTimes } from "./limit-clock.ts";
import type { MtuState } from "./mtu.ts";
import type { Paths } from "./paths.ts";
import type { Route } from "./route.ts";
import type { RouteState } from "./route-state.ts";
import type { PathTotals } from "./send-paths.ts";
import type { SendPath } from "./send-path.ts";

/** Packets since the start, by what became of them. */
export interface SessionCounters {
  openedPackets: number;
  /** Not for us: another type, index or length. */
  foreignPackets: number;
  /** Seen before, or too old to tell. */
  repeatedPackets: number;
  /** A tag that does not match, or keys that are gone. */
  forgedPackets: number;
}

export function newCounters(): SessionCounters {
  return { openedPackets: 0, foreignPackets: 0, repeatedPackets: 0, forgedPackets: 0 };
}

/** Times in ms, sizes in bytes, rates in bytes per ms. */
export interface PathStats {
  readonly id: number;
  readonly route: Route;
  readonly isSelected: boolean;
  readonly isSuspect: boolean;
  /** Smoothed. */
  readonly rttMs: number | null;
  readonly minRttMs: number | null;
  readonly windowBytes: number;
  readonly bytesInFlight: number;
  readonly pacingBytesPerMs: number;
  /** The longest packet, and whether a longer one is being looked for, RFC 8899 §5.2. */
  readonly mtuBytes: number;
  readonly mtuState: MtuState;
  readonly sentBytes: number;
  readonly sentPackets: number;
  /** Given up … */
  readonly lostPackets: number;
  /** … and acknowledged after all. */
  readonly spuriousPackets: number;
  readonly probeTimeouts: number;
}

export interface SessionStats extends Readonly<SessionCounters>, Readonly<PathTotals> {
  /** Exchanges of keys. */
  readonly epoch: number;
  /** Sealed, on all paths. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Stream data that went out again. */
  readonly repeatedBytes: number;
  /** What holds bulk now. */
  readonly limit: LimitReason;
  readonly limitTimes: LimitTimes;
  readonly paths: readonly PathStats[];
}

export interface StatsParts {
  readonly counters: SessionCounters;
  readonly checkPackets: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly repeatedBytes: number;
  readonly epoch: number;
  readonly paths: Paths;
  readonly limitClock: LimitClock;
}

/** Reads counters that are there anyway: nothing is counted for it. */
export function statsOf(
  now: number,
  { counters, checkPackets, paths, limitClock, ...figures }: StatsParts,
): SessionStats {
  const { totals } = paths;
  return {
    ...counters,
    ...figures,
    ...totals,
    sentPackets: totals.sentPackets + checkPackets,
    limit: limitClock.reason,
    limitTimes: limitClock.times(now),
    paths: [...paths.all].map((path) => pathStats(path, paths.selectedRoute)),
  };
}

function pathStats(path: SendPath, selected: RouteState | null): PathStats {
  const { rtt, sent } = path.recovery;
  return {
    id: path.id,
    route: path.route.route,
    isSelected: path.route === selected,
    isSuspect: path.isSuspect,
    rttMs: rtt?.smoothedMs ?? path.route.baseRttMs,
    minRttMs: path.route.baseRttMs,
    windowBytes: path.congestion.windowBytes,
    bytesInFlight: sent.bytesInFlight,
    pacingBytesPerMs: path.congestion.pacingBytesPerMs,
    mtuBytes: path.mtu.bytes,
    mtuState: path.mtu.state,
    sentBytes: path.sentBytes,
    sentPackets: path.sentPackets,
    lostPackets: path.lostPackets,
    spuriousPackets: path.recovery.spuriousPackets,
    probeTimeouts: path.probeTimeouts,
  };
}
