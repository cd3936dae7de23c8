import { concat, utf8 } from "../bytes.ts";

/** The parts of a Noise prologue, text as UTF-8, each behind its length in 2 bytes, so that no two lists of parts read the same. */
export function encodePrologue(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  return concat(...parts.map((part) => lengthPrefixed(typeof part === "string" ? utf8(part) : part)));
}

function lengthPrefixed(part: Uint8Array): Uint8Array {
  if (part.length > 0xffff) throw new RangeError("a part of a prologue is too long");
  return concat(Uint8Array.of(part.length >> 8, part.length & 255), part);
}
