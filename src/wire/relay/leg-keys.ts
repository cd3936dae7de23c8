import { utf8 } from "../bytes.ts";
import { LEG_MAC_BYTES } from "../messages/leg.ts";
import { equalSecrets, hkdf, hmacSha256 } from "../noise/primitives.ts";

/** One key for each direction, so that a request thrown back is no reply. PROTOCOL.md §8.2. */
export interface LegKeys {
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
}

const SALT = utf8("p2p relay 1");
const KEY_BYTES = 32;

/** @param legKey 32 bytes, as handed out inside the channel; a leg over a WebSocket uses it by another label */
export function deriveLegKeys(legKey: Uint8Array): LegKeys {
  const okm = hkdf(SALT, legKey, utf8("request, reply"), 2 * KEY_BYTES);
  return { request: okm.slice(0, KEY_BYTES), reply: okm.slice(KEY_BYTES) };
}

/** Puts the MAC over all before into the last bytes. @returns the same bytes */
export function signLeg(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  datagram.set(macOf(key, datagram), datagram.length - LEG_MAC_BYTES);
  return datagram;
}

/** In constant time. */
export function isSignedLeg(key: Uint8Array, datagram: Uint8Array): boolean {
  return equalSecrets(datagram.subarray(datagram.length - LEG_MAC_BYTES), macOf(key, datagram));
}

/** HMAC-SHA-256 cut as RFC 2104 §5 allows. */
function macOf(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  return hmacSha256(key, datagram.subarray(0, datagram.length - LEG_MAC_BYTES)).subarray(0, LEG_MAC_BYTES);
}
