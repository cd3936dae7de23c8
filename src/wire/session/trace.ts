import type { TracedFrame } from "./frame-summary.ts";
import type { Route } from "./route.ts";

/** What a packet was, without anything that somebody said. */
export interface TracedPacket {
  readonly path: number;
  readonly number: number;
  /** Sealed. */
  readonly bytes: number;
  readonly frames: readonly TracedFrame[];
}

/** Of one path; only what has changed since they were told last. Milliseconds, bytes, bytes per ms. */
export type TracedMetrics = Partial<Record<MetricName, number>>;
export type MetricName =
  | "minRttMs"
  | "smoothedRttMs"
  | "latestRttMs"
  | "rttVarianceMs"
  | "probeTimeouts"
  | "windowBytes"
  | "bytesInFlight"
  | "packetsInFlight"
  | "pacingBytesPerMs";

/** As the session's counters have them. */
export type DropReason = "foreign" | "repeated" | "forged";

/** What happens inside a session, for whoever looks for a fault: numbers, lengths and reasons, never content, keys, names or addresses. */
export type TraceEvent =
  | ({ readonly kind: "packet-sent" } & TracedPacket)
  | ({ readonly kind: "packet-received" } & TracedPacket)
  | { readonly kind: "packet-lost"; readonly path: number; readonly number: number; readonly bytes: number }
  | { readonly kind: "packets-dropped"; readonly why: DropReason; readonly packets: number }
  | { readonly kind: "metrics"; readonly path: number; readonly metrics: TracedMetrics }
  | { readonly kind: "congestion"; readonly path: number; readonly from: string | null; readonly to: string }
  | { readonly kind: "mtu"; readonly path: number; readonly from: number | null; readonly to: number }
  | { readonly kind: "path-selected"; readonly path: number; readonly over: Route["kind"]; readonly why: string }
  | { readonly kind: "keys"; readonly epoch: number }
  | { readonly kind: "closed"; readonly code: string; readonly remote: boolean };

/** Takes what is traced. `now` as in the core that tells it. Must neither throw nor wait. */
export type TraceSink = (now: number, event: TraceEvent) => void;
