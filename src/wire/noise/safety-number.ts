import { sha512 } from "./primitives.ts";

const VERSION = Uint8Array.of(0, 1);
/** As libsignal's NumericFingerprintGenerator: what makes grinding for a look-alike cost 5 200 times more. */
const ITERATIONS = 5_200;
const GROUPS = 6;
const GROUP_BYTES = 5;

/**
 * 60 digits that two people compare to know that no one stands between their devices: 30 for each device's X25519 key, the lower
 * half first, so that both see the same. 10 to 30 ms of work: ask once a session.
 */
export function safetyNumber(oneKey: Uint8Array, otherKey: Uint8Array): string {
  return [digitsOf(oneKey), digitsOf(otherKey)].sort().join("");
}

/** SHA-512 over version ‖ key, then 5 199 times over the hash ‖ key; six groups of 5 bytes, each modulo 100 000. */
function digitsOf(key: Uint8Array): string {
  let hash = sha512(VERSION, key);
  for (let round = 1; round < ITERATIONS; round++) hash = sha512(hash, key);
  return Array.from({ length: GROUPS }, (_, group) => fiveDigits(hash, group * GROUP_BYTES)).join("");
}

function fiveDigits(hash: Uint8Array, at: number): string {
  const value = hash.subarray(at, at + GROUP_BYTES).reduce((sum, byte) => sum * 256 + byte, 0);
  return String(value % 100_000).padStart(5, "0");
}
