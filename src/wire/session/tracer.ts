import { WireError } from "../errors.ts";
import { FrameSummary, type TracedFrame } from "./frame-summary.ts";
import type { SessionEvent } from "./events.ts";
import type { Paths } from "./paths.ts";
import type { RouteState } from "./route-state.ts";
import type { SendPath } from "./send-path.ts";
import type { SessionCounters } from "./stats.ts";
import type { DropReason, MetricName, TraceSink } from "./trace.ts";

type Metrics = Readonly<Record<MetricName, number>>;

/** What was told of a path last. */
interface Told {
  metrics: Metrics;
  phase: string | null;
  mtuBytes: number | null;
}

const drops: readonly (readonly [DropReason, keyof SessionCounters])[] = [
  ["foreign", "foreignPackets"],
  ["repeated", "repeatedPackets"],
  ["forged", "forgedPackets"],
];

const NOTHING_TOLD: Metrics = {
  minRttMs: -1,
  smoothedRttMs: -1,
  latestRttMs: -1,
  rttVarianceMs: -1,
  probeTimeouts: 0,
  windowBytes: -1,
  bytesInFlight: -1,
  packetsInFlight: -1,
  pacingBytesPerMs: -1,
};

/** Tells of a session's inside, where somebody asked for it. Packets and losses as they happen; what only changes by and by is looked at after each turn. */
export class Tracer {
  readonly #sink: TraceSink;
  readonly #summary = new FrameSummary();
  readonly #told = new Map<number, Told>();
  #now: number;
  #epoch = 0;
  #dropped: Partial<SessionCounters> = {};
  #outgoing: readonly TracedFrame[] = [];
  #selection: Extract<SessionEvent, { kind: "path-selected" }> | null = null;

  constructor(sink: TraceSink, now: number) {
    this.#sink = sink;
    this.#now = now;
  }

  /** A turn of the core begins. */
  begin(now: number): void {
    this.#now = now;
  }

  /** To be read before it is sealed in place; {@link packetSent} follows. */
  packetWritten(plaintext: Uint8Array): void {
    this.#outgoing = this.#framesOf(plaintext);
  }

  packetSent(path: number, number: number, bytes: number): void {
    this.#sink(this.#now, { kind: "packet-sent", path, number, bytes, frames: this.#outgoing });
  }

  packetReceived(path: number, number: number, bytes: number, plaintext: Uint8Array): void {
    this.#sink(this.#now, { kind: "packet-received", path, number, bytes, frames: this.#framesOf(plaintext) });
  }

  /** Of a path just made. */
  watch(path: SendPath): void {
    path.recovery.onGivenUp = (number, bytes) =>
      this.#sink(this.#now, { kind: "packet-lost", path: path.id, number, bytes });
  }

  /** What the session tells its user. */
  event(event: SessionEvent): void {
    if (event.kind === "path-selected") this.#selection = event;
    else if (event.kind === "closed") this.#sink(this.#now, { kind: "closed", code: event.code, remote: event.remote });
  }

  /** Tells what is not as it was. */
  observe(paths: Paths, counters: SessionCounters, epoch: number): void {
    for (const [why, counter] of drops) {
      const packets = counters[counter] - (this.#dropped[counter] ?? 0);
      if (packets > 0) this.#sink(this.#now, { kind: "packets-dropped", why, packets });
    }
    this.#dropped = { ...counters };
    this.#tellSelection(paths.selectedRoute);
    for (const path of paths.all) this.#observe(path);
    for (const id of this.#told.keys()) if (paths.byId(id) === null) this.#told.delete(id);
    if (epoch !== this.#epoch) this.#sink(this.#now, { kind: "keys", epoch });
    this.#epoch = epoch;
  }

  /** A path has its number from the first packet on it. */
  #tellSelection(selected: RouteState | null): void {
    const path = selected?.path ?? null;
    if (this.#selection === null || path === null) return;
    const { route, why } = this.#selection;
    if (route.kind === selected?.route.kind)
      this.#sink(this.#now, { kind: "path-selected", path: path.id, over: route.kind, why });
    this.#selection = null;
  }

  #observe(path: SendPath): void {
    const told = this.#told.get(path.id) ?? { metrics: NOTHING_TOLD, phase: null, mtuBytes: null };
    this.#told.set(path.id, told);
    const metrics = metricsOf(path, told.metrics);
    const changed = changes(told.metrics, metrics);
    if (changed.length > 0)
      this.#sink(this.#now, { kind: "metrics", path: path.id, metrics: Object.fromEntries(changed) });
    told.metrics = metrics;
    const { phase = null } = path.congestion;
    if (phase !== null && phase !== told.phase)
      this.#sink(this.#now, { kind: "congestion", path: path.id, from: told.phase, to: phase });
    told.phase = phase;
    if (path.mtu.bytes !== told.mtuBytes)
      this.#sink(this.#now, { kind: "mtu", path: path.id, from: told.mtuBytes, to: path.mtu.bytes });
    told.mtuBytes = path.mtu.bytes;
  }

  /** What makes no sense is a packet without frames here; the session says what it thinks of it. */
  #framesOf(plaintext: Uint8Array): readonly TracedFrame[] {
    try {
      return this.#summary.of(plaintext);
    } catch (error) {
      if (error instanceof WireError) return [];
      throw error;
    }
  }
}

/** RTTs stay as they were told while there is no estimate. */
function metricsOf({ recovery, congestion }: SendPath, before: Metrics): Metrics {
  const { rtt, sent } = recovery;
  return {
    minRttMs: rtt?.minMs ?? before.minRttMs,
    smoothedRttMs: rtt?.smoothedMs ?? before.smoothedRttMs,
    latestRttMs: rtt?.latestMs ?? before.latestRttMs,
    rttVarianceMs: rtt?.variationMs ?? before.rttVarianceMs,
    probeTimeouts: recovery.probeTimeouts,
    windowBytes: congestion.windowBytes,
    bytesInFlight: sent.bytesInFlight,
    packetsInFlight: sent.packetsInFlight,
    pacingBytesPerMs: congestion.pacingBytesPerMs,
  };
}

function changes(before: Metrics, after: Metrics): [string, number][] {
  return Object.entries(after).filter(([name, value]) => before[name as MetricName] !== value);
}
