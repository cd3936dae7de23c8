import type { AckFrame } from "../../../../src/wire/session/frame-reader.ts";
import type { Fate, PacketContents, StreamChunk } from "../../../../src/wire/session/sent-packets.ts";

/** Writes down what it is told. */
export class Notes implements Fate {
  readonly chunks: StreamChunk[] = [];
  readonly frames: string[] = [];
  readonly acks: [number, number][] = [];
  chunk(chunk: StreamChunk): void {
    this.chunks.push(chunk);
  }
  frame({ kind }: { kind: string }): void {
    this.frames.push(kind);
  }
  ack(path: number, largest: number): void {
    this.acks.push([path, largest]);
  }
}

/** One chunk of stream 4 with the packet's number as offset. */
export function contentsOf(offset: number): PacketContents {
  return { chunks: [{ stream: 4, offset, length: 1, fin: false }], frames: [], ackPath: -1, ackLargest: 0 };
}

/** Ranges as [low, high], newest first. */
export function ackOf(...ranges: readonly (readonly [number, number])[]): AckFrame {
  return {
    path: 3,
    delayUs: 0,
    count: ranges.length,
    low: Float64Array.from(ranges, ([low]) => low),
    high: Float64Array.from(ranges, ([, high]) => high),
  };
}
