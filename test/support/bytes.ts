import { concat, utf8 } from "../../src/wire/bytes.ts";
import type { Random } from "../../src/wire/core.ts";
import { hkdf } from "../../src/wire/noise/primitives.ts";

/** Blanks between the digits are for the reader. */
export function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

/** The same bytes for the same seed, call by call; each call at most 8 160. */
export function seededRandom(seed: string): Random {
  let calls = 0;
  return (length) => hkdf(utf8(seed), utf8(`${calls++}`), utf8("test"), length);
}

/** A copy with one bit turned over, counted from the first byte's highest. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = new Uint8Array(bytes); // `slice` of a Buffer shares its memory
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
  return flipped;
}

/** With a byte more than there was. */
export function lengthened(bytes: Uint8Array): Uint8Array {
  return concat(bytes, Uint8Array.of(0));
}
