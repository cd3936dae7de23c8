import { u32, upTo } from "../codec/fields.ts";
import { message, table } from "../codec/schema.ts";
import { WireError } from "../errors.ts";
import { MAX_STREAM_MESSAGE_BYTES } from "../limits.ts";

const PACKED = 0x00;

const specs = {
  /** `bytes`: of the message that the zstd frame holds. */
  packed: message(PACKED, { bytes: u32, frame: upTo(MAX_STREAM_MESSAGE_BYTES) }),
};

/** PROTOCOL.md §9.1. In place of an encoded message on the control or chat stream; no other table has a message 0. */
export const packing = table("packed", specs, MAX_STREAM_MESSAGE_BYTES);

/** Zstandard, RFC 8878: a pure function, but the library for it is the platform's, so it comes in as an argument. */
export interface Zstd {
  /** One frame that tells its size, and needs no more memory than that. */
  compress(bytes: Uint8Array): Uint8Array;
  /** @returns null for what is not `bytes` bytes, at most 64 KiB; uses no more memory than about so much, whatever a frame says of itself */
  decompress(frame: Uint8Array, bytes: number): Uint8Array | null;
}

/** Shorter ones never shrink. Bytes. */
const MIN_BYTES = 128;
/** What packing must save, more than its head takes, or it is not worth the unpacking: this share. */
const MIN_GAIN = 1 / 8;

/**
 * Each message by itself, in a frame of its own and without a dictionary: how long one becomes tells nothing about any other.
 * @returns the message as it was unless it shrinks
 */
export function packed(encoded: Uint8Array, zstd: Zstd): Uint8Array {
  if (encoded.length < MIN_BYTES) return encoded;
  const frame = zstd.compress(encoded);
  if (frame.length > encoded.length * (1 - MIN_GAIN)) return encoded;
  return packing.encode({ kind: "packed", bytes: encoded.length, frame });
}

/** @returns the encoded message, packed or not. @throws WireError `bad-message` for a frame that does not hold what is said of it */
export function unpacked(bytes: Uint8Array, zstd: Zstd): Uint8Array {
  if (!isPacked(bytes)) return bytes;
  const { bytes: size, frame } = packing.decode(bytes);
  const encoded = size > 0 && size <= MAX_STREAM_MESSAGE_BYTES ? zstd.decompress(frame, size) : null;
  if (encoded === null || isPacked(encoded)) throw new WireError("bad-message", "not a packed message");
  return encoded;
}

function isPacked(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0xf0) === 0x90 && bytes[1] === PACKED;
}
