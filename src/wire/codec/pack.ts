import type { Value } from "./msgpack.ts";

const encoder = new TextEncoder();
/** Messages are written here and copied out; it grows to the longest one there was. */
let out = new Uint8Array(4_096);
let at = 0;

/** Each value in its shortest form; numbers above 2^32 as the signed 64-bit form, which is as short as the unsigned one. */
export function pack(value: Value): Uint8Array {
  at = 0;
  write(value);
  return out.slice(0, at);
}

function write(value: Value): void {
  if (typeof value === "number") writeNumber(value);
  else if (typeof value === "string") writeText(value);
  else if (value instanceof Uint8Array) writeBinary(value);
  else if (value === null || typeof value === "boolean") byte(value === null ? 0xc0 : value ? 0xc3 : 0xc2);
  else writeArray(value);
}

function writeNumber(value: number): void {
  if (value < 0x80) byte(value);
  else if (value < 0x100) sized(0xcc, 1, value);
  else if (value < 0x1_0000) sized(0xcd, 2, value);
  else if (value <= 0xffff_ffff) sized(0xce, 4, value);
  else {
    sized(0xd3, 4, Math.floor(value / 2 ** 32));
    unsigned(4, value % 2 ** 32);
  }
}

function writeText(value: string): void {
  const bytes = encoder.encode(value);
  const { length } = bytes;
  if (length < 0x20) byte(0xa0 | length);
  else head(0xd9, length);
  copy(bytes);
}

function writeBinary(bytes: Uint8Array): void {
  head(0xc4, bytes.length);
  copy(bytes);
}

function writeArray(values: readonly Value[]): void {
  const { length } = values;
  if (length < 0x10) byte(0x90 | length);
  else if (length < 0x1_0000) sized(0xdc, 2, length);
  else sized(0xdd, 4, length);
  for (let index = 0; index < length; index++) write(values[index] ?? null);
}

/** Three forms follow each other: lengths of 8, 16 and 32 bits. */
function head(first: number, length: number): void {
  if (length < 0x100) sized(first, 1, length);
  else if (length < 0x1_0000) sized(first + 1, 2, length);
  else sized(first + 2, 4, length);
}

function sized(type: number, width: 1 | 2 | 4, value: number): void {
  byte(type);
  unsigned(width, value);
}

/** Big-endian. */
function unsigned(width: 1 | 2 | 4, value: number): void {
  ensure(width);
  for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) out[at++] = value >>> shift;
}

function byte(value: number): void {
  ensure(1);
  out[at++] = value;
}

function copy(bytes: Uint8Array): void {
  ensure(bytes.length);
  out.set(bytes, at);
  at += bytes.length;
}

function ensure(bytes: number): void {
  if (at + bytes <= out.length) return;
  const wider = new Uint8Array(Math.max(2 * out.length, at + bytes));
  wider.set(out.subarray(0, at));
  out = wider;
}
