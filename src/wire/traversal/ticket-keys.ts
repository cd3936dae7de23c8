import { concat, utf8 } from "../bytes.ts";
import { authenticatedPart, DISCOVERY_MAC_BYTES, macOf } from "../messages/discovery.ts";
import { equalSecrets, hkdf, hmacSha256 } from "../noise/primitives.ts";

/** One key for each direction, so that a request thrown back is no reply. PROTOCOL.md §10.2. */
export interface TicketKeys {
  readonly request: Uint8Array;
  readonly reply: Uint8Array;
}

const SALT = utf8("p2p discovery 1");
const KEY_BYTES = 32;

/** @param ticketKey 32 bytes, as handed out inside the channel */
export function deriveTicketKeys(ticketKey: Uint8Array): TicketKeys {
  const okm = hkdf(SALT, ticketKey, utf8("request, reply"), 2 * KEY_BYTES);
  return { request: okm.slice(0, KEY_BYTES), reply: okm.slice(KEY_BYTES) };
}

/** A copy of an encoded request or reply whose last 16 bytes are the MAC over all others. */
export function withMac(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  return concat(authenticatedPart(datagram), truncatedMac(key, datagram));
}

/** In constant time. */
export function isAuthentic(key: Uint8Array, datagram: Uint8Array): boolean {
  return equalSecrets(macOf(datagram), truncatedMac(key, datagram));
}

/** HMAC-SHA-256 cut as RFC 2104 §5 allows. */
function truncatedMac(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  return hmacSha256(key, authenticatedPart(datagram)).subarray(0, DISCOVERY_MAC_BYTES);
}
