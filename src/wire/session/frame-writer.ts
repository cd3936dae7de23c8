import { hotFrames } from "../messages/session.ts";
import type { AckRanges } from "./ack-ranges.ts";

// The hot frames of PROTOCOL.md §7.4, written in place. All functions return the offset behind what they wrote.

/** The longest head of a stream frame: everything but the data. Bytes. */
export const MAX_STREAM_HEAD_BYTES = 1 + 1 + 9 + 9 + 1 + 3;
/** An ack with one range. Bytes. */
export const MAX_SHORT_ACK_BYTES = 1 + 1 + 3 + 9 + 5 + 9 + 1;

/** `[2, stream, offset, fin, data]` up to the data, which the caller copies behind it: exactly `dataBytes` of them. */
export function writeStreamHead(
  out: Uint8Array,
  at: number,
  stream: number,
  offset: number,
  fin: boolean,
  dataBytes: number,
): number {
  out[at] = 0x95;
  out[at + 1] = hotFrames.stream;
  const flag = writeUint(out, writeUint(out, at + 2, stream), offset);
  out[flag] = fin ? 0xc3 : 0xc2;
  return writeBinaryHead(out, flag + 1, dataBytes);
}

/** How many bytes {@link writeStreamHead} writes. */
export function streamHeadBytes(stream: number, offset: number, dataBytes: number): number {
  return 3 + uintBytes(stream) + uintBytes(offset) + (dataBytes < 0x100 ? 2 : 3);
}

/**
 * `[1, path, largest, delayUs, first, [gap, length, …]]`, numbers as RFC 9000 §19.3.1: as many ranges as fit before `end`, newest first.
 * @returns `at` when not even one fits
 */
export function writeAck(
  out: Uint8Array,
  at: number,
  end: number,
  path: number,
  delayUs: number,
  ranges: AckRanges,
): number {
  if (ranges.count === 0 || end - at < MAX_SHORT_ACK_BYTES + 2) return at;
  const told = rangesThatFit(ranges, end - at - MAX_SHORT_ACK_BYTES - 2);
  out[at] = 0x96;
  out[at + 1] = hotFrames.ack;
  let next = writeUint(out, writeUint(out, at + 2, path), ranges.largest);
  next = writeUint(out, writeUint(out, next, Math.min(delayUs, 0xffff_ffff)), ranges.high(0) - ranges.low(0));
  next = writeArrayHead(out, next, 2 * told);
  for (let index = 1; index <= told; index++) {
    next = writeUint(out, next, gapBefore(ranges, index));
    next = writeUint(out, next, ranges.high(index) - ranges.low(index));
  }
  return next;
}

/** Shortest form; of the two for 64 bits the signed one, as the library writes. */
export function writeUint(out: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    out[at] = value;
    return at + 1;
  }
  const bytes = uintBytes(value) - 1;
  out[at] = bytes === 1 ? 0xcc : bytes === 2 ? 0xcd : bytes === 4 ? 0xce : 0xd3;
  let rest = value;
  for (let index = bytes; index > 0; index--) {
    out[at + index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return at + 1 + bytes;
}

function uintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x100) return 2;
  if (value < 0x1_0000) return 3;
  return value < 0x1_0000_0000 ? 5 : 9;
}

function rangesThatFit(ranges: AckRanges, room: number): number {
  let used = 0;
  for (let index = 1; index < ranges.count; index++) {
    used += uintBytes(gapBefore(ranges, index)) + uintBytes(ranges.high(index) - ranges.low(index));
    if (used > room) return index - 1;
  }
  return ranges.count - 1;
}

function gapBefore(ranges: AckRanges, index: number): number {
  return ranges.low(index - 1) - ranges.high(index) - 2;
}

function writeArrayHead(out: Uint8Array, at: number, count: number): number {
  if (count < 16) {
    out[at] = 0x90 | count;
    return at + 1;
  }
  out[at] = 0xdc;
  out[at + 1] = count >> 8;
  out[at + 2] = count;
  return at + 3;
}

function writeBinaryHead(out: Uint8Array, at: number, length: number): number {
  if (length < 0x100) {
    out[at] = 0xc4;
    out[at + 1] = length;
    return at + 2;
  }
  out[at] = 0xc5;
  out[at + 1] = length >> 8;
  out[at + 2] = length;
  return at + 3;
}
