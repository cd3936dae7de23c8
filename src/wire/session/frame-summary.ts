import { isErrorCode } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import { type AckFrame, type FrameHandler, FrameReader } from "./frame-reader.ts";

/** A frame without what it carries. Ranges are inclusive, newest first. */
export type TracedFrame =
  | {
      readonly kind: "ack";
      readonly path: number;
      readonly delayUs: number;
      readonly ranges: readonly (readonly [low: number, high: number])[];
    }
  | {
      readonly kind: "stream";
      readonly stream: number;
      readonly offset: number;
      readonly length: number;
      readonly fin: boolean;
    }
  | { readonly kind: "datagram"; readonly length: number }
  | Extract<Frame, { kind: "maxSession" | "maxStream" | "maxStreams" | "resetStream" | "stopSending" }>
  | { readonly kind: "close"; readonly code: string }
  | { readonly kind: "rekey" | "rekeyed" | "rekeyWanted"; readonly epoch: number }
  | {
      readonly kind:
        | "ping"
        | "challenge"
        | "response"
        | "candidate"
        | "candidatesEnd"
        | "spareIndexes"
        | "abilities"
        | "mapping"
        | "seekMe"
        | "report";
    };

/** Reads packets for a trace: who reads one learns how the session works, and nothing that was said or where anybody is. */
export class FrameSummary implements FrameHandler {
  readonly #reader = new FrameReader();
  #frames: TracedFrame[] = [];

  /** @throws WireError for what is no packet of frames */
  of(plaintext: Uint8Array): readonly TracedFrame[] {
    this.#frames = [];
    this.#reader.read(plaintext, this);
    return this.#frames;
  }

  ack({ path, delayUs, count, low, high }: AckFrame): void {
    const ranges = Array.from({ length: count }, (_, index) => [low[index] ?? 0, high[index] ?? 0] as const);
    this.#frames.push({ kind: "ack", path, delayUs, ranges });
  }

  stream(stream: number, offset: number, fin: boolean, _packet: Uint8Array, from: number, to: number): void {
    this.#frames.push({ kind: "stream", stream, offset, length: to - from, fin });
  }

  frame(frame: Frame): void {
    this.#frames.push(summaryOf(frame));
  }
}

function summaryOf(frame: Frame): TracedFrame {
  switch (frame.kind) {
    case "datagram":
      return { kind: frame.kind, length: frame.data.length };
    case "close":
      return { kind: frame.kind, code: isErrorCode(frame.code) ? frame.code : "unknown" };
    case "rekey":
    case "rekeyed":
    case "rekeyWanted":
      return { kind: frame.kind, epoch: frame.epoch };
    case "maxSession":
    case "maxStream":
    case "maxStreams":
    case "resetStream":
    case "stopSending":
      return frame;
    default:
      return { kind: frame.kind };
  }
}
