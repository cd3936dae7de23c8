import type { Paths } from "./paths.ts";
import type { Route } from "./route.ts";
import type { RouteState } from "./route-state.ts";
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
  readonly rttMs: number | null;
  readonly minRttMs: number | null;
  readonly windowBytes: number;
  readonly bytesInFlight: number;
  readonly pacingBytesPerMs: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly lostPackets: number;
  readonly probeTimeouts: number;
}

export interface SessionStats extends Readonly<SessionCounters> {
  readonly epoch: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly paths: readonly PathStats[];
}

export function statsOf(
  counters: SessionCounters,
  bytes: { readonly sentBytes: number; readonly receivedBytes: number },
  epoch: number,
  paths: Paths,
): SessionStats {
  return { ...counters, ...bytes, epoch, paths: [...paths.all].map((path) => pathStats(path, paths.selectedRoute)) };
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
    sentBytes: path.sentBytes,
    sentPackets: path.sentPackets,
    lostPackets: path.lostPackets,
    probeTimeouts: path.probeTimeouts,
  };
}
