import { toHex } from "../../wire/bytes.ts";

/**
 * X25519 points of small order, as RFC 7748 §5 reads them: little-endian, below 2^255. Whoever brings one makes every shared secret
 * zero (§6.1), so no key pair has it. 0, 1, two of order 8, p-1, p and p+1, with p = 2^255 - 19; listed at
 * cr.yp.to/ecdh.html#validate.
 */
const points: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/** @param key 32 bytes. @returns whether it can be nobody's public key, whatever its highest bit is, which X25519 ignores */
export function isLowOrder(key: Uint8Array): boolean {
  const masked = key.slice();
  masked[31] = (masked[31] ?? 0) & 0x7f;
  return points.has(toHex(masked));
}
