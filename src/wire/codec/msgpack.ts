import { Unpackr } from "msgpackr/pack";
import { WireError } from "../errors.ts";
import { pack } from "./pack.ts";

/**
 * The subset of MessagePack that p2p speaks, PROTOCOL.md §2: nil, booleans, unsigned integers up to 2^53−1, UTF-8 strings, binaries
 * and arrays, each in its shortest form. `scanValue` holds the border; only what it let through reaches the library.
 */
export type Value = null | boolean | number | string | Uint8Array | readonly Value[];

export interface ScanLimits {
  /** Arrays within arrays, the outermost counted. */
  readonly maxDepth: number;
  /** Elements of any one array. */
  readonly maxCount: number;
}

const unpackr = new Unpackr({ useRecords: false, int64AsType: "number" });
const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

export function packValue(value: Value): Uint8Array {
  return pack(value);
}

/** Binaries in it share the memory of `bytes`. @param bytes exactly one value, as `scanValue` found it */
export function unpackScanned(bytes: Uint8Array): Value {
  return unpackr.unpack(bytes) as Value;
}

/**
 * Walks one value from `at` without building anything, so that a hostile header costs nothing.
 * @returns the offset behind it
 * @throws WireError `bad-message` where the bytes leave the subset, the limits or the buffer
 */
export function scanValue(bytes: Uint8Array, at: number, limits: ScanLimits): number {
  return scan(bytes, at, limits, limits.maxDepth);
}

function scan(bytes: Uint8Array, at: number, limits: ScanLimits, depthLeft: number): number {
  const head = byteAt(bytes, at);
  if (head <= 0x7f || head === 0xc0 || head === 0xc2 || head === 0xc3) return at + 1;
  if (head >= 0xcc && head <= 0xcf) return scanUnsigned(bytes, at, 1 << (head - 0xcc));
  if (head === 0xd3) return scanUnsigned(bytes, at, 8);
  if ((head & 0xf0) === 0x90) return scanArray(bytes, at + 1, head & 0x0f, limits, depthLeft);
  if ((head & 0xe0) === 0xa0) return scanText(bytes, at + 1, head & 0x1f);
  switch (head) {
    case 0xc4:
      return within(bytes, at + 2, sized(bytes, at + 1, 1, 0));
    case 0xc5:
      return within(bytes, at + 3, sized(bytes, at + 1, 2, 0x100));
    case 0xc6:
      return within(bytes, at + 5, sized(bytes, at + 1, 4, 0x1_0000));
    case 0xd9:
      return scanText(bytes, at + 2, sized(bytes, at + 1, 1, 0x20));
    case 0xda:
      return scanText(bytes, at + 3, sized(bytes, at + 1, 2, 0x100));
    case 0xdb:
      return scanText(bytes, at + 5, sized(bytes, at + 1, 4, 0x1_0000));
    case 0xdc:
      return scanArray(bytes, at + 3, sized(bytes, at + 1, 2, 0x10), limits, depthLeft);
    case 0xdd:
      return scanArray(bytes, at + 5, sized(bytes, at + 1, 4, 0x1_0000), limits, depthLeft);
    default:
      throw malformed("a type that is not spoken here");
  }
}

function scanArray(bytes: Uint8Array, at: number, count: number, limits: ScanLimits, depthLeft: number): number {
  if (depthLeft === 0) throw malformed("arrays nested too deep");
  if (count > limits.maxCount) throw malformed("too many elements");
  let end = at;
  for (let index = 0; index < count; index++) end = scan(bytes, end, limits, depthLeft - 1);
  return end;
}

function scanText(bytes: Uint8Array, at: number, length: number): number {
  const end = within(bytes, at, length);
  try {
    strictUtf8.decode(bytes.subarray(at, end));
  } catch {
    throw malformed("a string that is not UTF-8");
  }
  return end;
}

/** Signed and unsigned 64-bit forms are equally short; the signed one is written. A negative one is above 2^53−1 read unsigned. */
function scanUnsigned(bytes: Uint8Array, at: number, width: number): number {
  sized(bytes, at + 1, width, width === 1 ? 0x80 : 2 ** (width * 4));
  return at + 1 + width;
}

/** Big-endian; refuses what a shorter form could say, and what a double cannot hold. */
function sized(bytes: Uint8Array, at: number, width: number, floor: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + byteAt(bytes, at + index);
  if (value < floor) throw malformed("a number not in its shortest form");
  if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number above 2^53-1");
  return value;
}

function within(bytes: Uint8Array, at: number, length: number): number {
  if (length > bytes.length - at) throw malformed("a length beyond the end");
  return at + length;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw malformed("cut short");
  return byte;
}

function malformed(what: string): WireError {
  return new WireError("bad-message", `not a message: ${what}`);
}
