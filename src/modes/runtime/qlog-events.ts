import type { TracedFrame } from "../../wire/session/frame-summary.ts";
import type { DropReason, MetricName, TracedMetrics, TracedPacket, TraceEvent } from "../../wire/session/trace.ts";

/** As draft-ietf-quic-qlog-main-schema has them, in the form that version 0.3 of its viewers reads. */
export interface QlogEvent {
  /** `category:type`. */
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Ours go by the name of what is closest in QUIC, draft-ietf-quic-qlog-quic-events; what has no counterpart says so itself. */
export function qlogEvents(event: TraceEvent): readonly QlogEvent[] {
  switch (event.kind) {
    case "packet-sent":
    case "packet-received":
      return [
        { name: `transport:${event.kind === "packet-sent" ? "packet_sent" : "packet_received"}`, data: packet(event) },
      ];
    case "packet-lost":
      return [{ name: "recovery:packet_lost", data: { header: header(event.number), raw: { length: event.bytes } } }];
    case "packets-dropped":
      return [{ name: "transport:packet_dropped", data: { trigger: triggers[event.why], packets: event.packets } }];
    case "metrics":
      return [{ name: "recovery:metrics_updated", data: metrics(event.metrics) }];
    case "congestion":
      return [{ name: "recovery:congestion_state_updated", data: change(event.from, event.to) }];
    case "mtu":
      return [{ name: "connectivity:mtu_updated", data: change(event.from, event.to) }];
    case "path-selected":
      return [
        { name: "connectivity:path_assigned", data: { path_id: `${event.path}`, over: event.over, why: event.why } },
      ];
    case "keys":
      return ["client_1rtt_secret", "server_1rtt_secret"].map((key_type) => ({
        name: "security:key_updated",
        data: { key_type, generation: event.epoch },
      }));
    case "closed":
    default:
      return [
        {
          name: "connectivity:connection_closed",
          data: { owner: event.remote ? "remote" : "local", reason: event.code },
        },
      ];
  }
}

const triggers: Readonly<Record<DropReason, string>> = {
  foreign: "unknown_connection_id",
  repeated: "duplicate",
  forged: "payload_decrypt_error",
};

/** Name in qlog, and what one of ours is of its units. RTTs are milliseconds, rates bits per second. */
const metricNames: Readonly<Record<MetricName, readonly [name: string, factor: number]>> = {
  minRttMs: ["min_rtt", 1],
  smoothedRttMs: ["smoothed_rtt", 1],
  latestRttMs: ["latest_rtt", 1],
  rttVarianceMs: ["rtt_variance", 1],
  probeTimeouts: ["pto_count", 1],
  windowBytes: ["congestion_window", 1],
  bytesInFlight: ["bytes_in_flight", 1],
  packetsInFlight: ["packets_in_flight", 1],
  pacingBytesPerMs: ["pacing_rate", 8_000],
};

function metrics(changed: TracedMetrics): QlogEvent["data"] {
  return Object.fromEntries(
    Object.entries(changed).map(([key, value]) => {
      const [name, factor] = metricNames[key as MetricName];
      return [name, rounded(value * factor)];
    }),
  );
}

function packet({ number, bytes, frames }: TracedPacket): QlogEvent["data"] {
  return { header: header(number), raw: { length: bytes }, frames: frames.map(frame) };
}

function header(number: number): QlogEvent["data"] {
  return { packet_type: "1RTT", packet_number: number };
}

function frame(traced: TracedFrame): QlogEvent["data"] {
  switch (traced.kind) {
    case "ack":
      return {
        frame_type: "ack",
        path_id: `${traced.path}`,
        ack_delay: traced.delayUs / 1_000,
        acked_ranges: traced.ranges.toReversed(),
      };
    case "stream": {
      const { stream, offset, length, fin } = traced;
      return { frame_type: "stream", stream_id: stream, offset, length, fin };
    }
    case "datagram":
      return { frame_type: "datagram", length: traced.length };
    case "maxSession":
      return { frame_type: "max_data", maximum: traced.bytes };
    case "maxStream":
      return { frame_type: "max_stream_data", stream_id: traced.stream, maximum: traced.bytes };
    case "maxStreams":
      return { frame_type: "max_streams", maximum: traced.streams, class: traced.class };
    case "resetStream":
      return {
        frame_type: "reset_stream",
        stream_id: traced.stream,
        error_code: traced.code,
        final_size: traced.finalBytes,
      };
    case "stopSending":
      return { frame_type: "stop_sending", stream_id: traced.stream, error_code: traced.code };
    case "close":
      return { frame_type: "connection_close", error_space: "application", reason: traced.code };
    case "ping":
      return { frame_type: "ping" };
    case "challenge":
      return { frame_type: "path_challenge" };
    case "response":
      return { frame_type: "path_response" };
    case "spareIndexes":
      return { frame_type: "new_connection_id" };
    case "rekey":
    case "rekeyed":
    case "rekeyWanted":
      return { frame_type: "crypto", p2p_frame: traced.kind, generation: traced.epoch };
    default:
      return { frame_type: "unknown", p2p_frame: traced.kind };
  }
}

function change(from: string | number | null, to: string | number): QlogEvent["data"] {
  return from === null ? { new: to } : { old: from, new: to };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
