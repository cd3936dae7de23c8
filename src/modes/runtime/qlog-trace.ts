import type { TraceEvent } from "../../wire/session/trace.ts";
import { qlogEvents } from "./qlog-events.ts";

export interface QlogTraceOptions {
  /** What stands above it in a viewer. */
  readonly title: string;
  /** Of the first handshake: "client" to a viewer. */
  readonly isInitiator: boolean;
  /** Monotonic, as `now` of the events; and Unix time of the same moment. Milliseconds. */
  readonly startedAtMs: number;
  readonly wallMs: number;
  /** Takes one record whole. @returns false when it could not */
  readonly write: (record: string) => boolean;
}

/** RFC 7464: each record begins with it. */
const RECORD_SEPARATOR = "\u001e";
const SERVER_PATH = 1;
const DESCRIPTION =
  "Each group is a path: 0 carries checks, 1 goes over the server, others straight. Numbers of packets are the path's own.";

/**
 * One session as a qlog trace in its streaming form, JSON-SEQ. Viewers know one row of packet numbers a connection, so each path is a
 * group of its own, by our number for it. What came is put beside the path of ours that it acknowledges.
 */
export class QlogTrace {
  readonly #options: QlogTraceOptions;
  /** Our path beside one of the other end's. */
  readonly #beside = new Map<number, number>();
  #selected = SERVER_PATH;
  #leftOut = 0;

  constructor(options: QlogTraceOptions) {
    this.#options = options;
    this.#write(headerOf(options));
  }

  /** Never throws. */
  add(now: number, event: TraceEvent): void {
    const group = this.#groupOf(event);
    for (const { name, data } of qlogEvents(event)) this.#event(now, group, name, data);
  }

  #event(now: number, group: number, name: string, data: Readonly<Record<string, unknown>>): void {
    const time = Math.round((now - this.#options.startedAtMs) * 1_000) / 1_000;
    if (this.#leftOut > 0) {
      const message = `${this.#leftOut} events are left out here: they came faster than the disk took them`;
      const isTold = this.#write({ time, name: "generic:warning", group_id: `${group}`, data: { message } });
      if (isTold) this.#leftOut = 0;
    }
    if (!this.#write({ time, name, group_id: `${group}`, data })) this.#leftOut++;
  }

  #groupOf(event: TraceEvent): number {
    switch (event.kind) {
      case "packet-received": {
        const ack = event.frames.find((frame) => frame.kind === "ack");
        if (ack !== undefined) this.#beside.set(event.path, ack.path);
        return this.#beside.get(event.path) ?? event.path;
      }
      case "path-selected":
        return (this.#selected = event.path);
      case "packet-sent":
      case "packet-lost":
      case "metrics":
      case "congestion":
      case "mtu":
        return event.path;
      default:
        return this.#selected;
    }
  }

  #write(record: Readonly<Record<string, unknown>>): boolean {
    return this.#options.write(`${RECORD_SEPARATOR}${JSON.stringify(record)}\n`);
  }
}

function headerOf({ title, isInitiator, wallMs }: QlogTraceOptions): Readonly<Record<string, unknown>> {
  return {
    qlog_version: "0.3",
    qlog_format: "JSON-SEQ",
    title,
    description: DESCRIPTION,
    trace: {
      title,
      vantage_point: { name: "p2p", type: isInitiator ? "client" : "server" },
      common_fields: { time_format: "relative", reference_time: wallMs, protocol_type: ["P2P"] },
    },
  };
}
