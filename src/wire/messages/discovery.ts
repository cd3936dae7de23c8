import { formatIp, parseIp, type UdpAddress } from "../address.ts";
import { concat, equalBytes } from "../bytes.ts";
import { DISCOVERY_BYTES, PROTOCOL_VERSION } from "../limits.ts";

// PROTOCOL.md §10.1. "Which address do you see me at?" and the answer, as plain bytes of one length; numbers are big-endian.
//
//   request  type 1 | version 1 | length 2 | ticket id 16 | txid 12 | sequence 4 | zero 20 | MAC 16
//   reply    type 1 | version 1 | length 2 | ticket id 16 | txid 12 | family 1 | port 2 | address 16 | listener 1 | zero 4 | MAC 16
//
// Only the two who hold the ticket's key can write a MAC that fits; see traversal/ticket-keys.ts.

export const TICKET_ID_BYTES = 16;
export const TXID_BYTES = 12;
/** Of the MAC at the end of both; it covers everything in front of it. */
export const DISCOVERY_MAC_BYTES = 16;
/** Where the ticket id lies. */
export const TICKET_ID_AT = 4;

export interface DiscoveryRequest {
  readonly ticketId: Uint8Array;
  /** Repeated by the reply. */
  readonly txid: Uint8Array;
  /** Unsigned 32-bit, rising with every request under one ticket. */
  readonly sequence: number;
}

export interface DiscoveryReply {
  readonly ticketId: Uint8Array;
  readonly txid: Uint8Array;
  /** Where the request came from, as the server saw it. */
  readonly address: UdpAddress;
  /** Which of the server's ports was asked, from 0. */
  readonly listener: number;
}

const TXID_AT = TICKET_ID_AT + TICKET_ID_BYTES;
const BODY_AT = TXID_AT + TXID_BYTES;
const MAC_AT = DISCOVERY_BYTES - DISCOVERY_MAC_BYTES;
const MASKED_BYTES = 18;
const REQUEST_HEAD = Uint8Array.of(1, PROTOCOL_VERSION << 4, 0, DISCOVERY_BYTES);
const REPLY_HEAD = Uint8Array.of(2, PROTOCOL_VERSION << 4, 0, DISCOVERY_BYTES);

/** @returns 72 bytes whose MAC is still zero */
export function encodeRequest(request: DiscoveryRequest): Uint8Array {
  const bytes = begin(REQUEST_HEAD, request);
  new DataView(bytes.buffer).setUint32(BODY_AT, request.sequence);
  return bytes;
}

/** @returns 72 bytes whose MAC is still zero. @throws RangeError when the address is none */
export function encodeReply(reply: DiscoveryReply): Uint8Array {
  const ip = parseIp(reply.address.ip);
  if (ip === null) throw new RangeError(`not an address: ${reply.address.ip}`);
  const bytes = begin(REPLY_HEAD, reply);
  bytes[BODY_AT] = ip.length === 4 ? 4 : 6;
  const plain = concat(Uint8Array.of(reply.address.port >> 8, reply.address.port), ip, new Uint8Array(16 - ip.length));
  bytes.set(masked(plain, reply.txid), BODY_AT + 1);
  bytes[BODY_AT + 1 + MASKED_BYTES] = reply.listener;
  return bytes;
}

/** Allocates nothing. Only such a datagram is worth looking up its ticket. */
export function isRequest(datagram: Uint8Array): boolean {
  return datagram.length === DISCOVERY_BYTES && startsWith(datagram, REQUEST_HEAD);
}

export function isReply(datagram: Uint8Array): boolean {
  return datagram.length === DISCOVERY_BYTES && startsWith(datagram, REPLY_HEAD);
}

/** The MAC is not looked at. @returns null when it is no request, or its padding is not zero */
export function decodeRequest(datagram: Uint8Array): DiscoveryRequest | null {
  if (!isRequest(datagram) || !isZero(datagram, BODY_AT + 4, MAC_AT)) return null;
  return { ...idsOf(datagram), sequence: viewOf(datagram).getUint32(BODY_AT) };
}

/** The MAC is not looked at. @returns null when it is no reply, its padding is not zero, or the address has two spellings */
export function decodeReply(datagram: Uint8Array): DiscoveryReply | null {
  if (!isReply(datagram) || !isZero(datagram, BODY_AT + 2 + MASKED_BYTES, MAC_AT)) return null;
  const ids = idsOf(datagram);
  const family = datagram[BODY_AT];
  const plain = masked(datagram.subarray(BODY_AT + 1, BODY_AT + 1 + MASKED_BYTES), ids.txid);
  const ip = plain.subarray(2, family === 4 ? 6 : 18);
  if (family === 4 ? !isZero(plain, 6, MASKED_BYTES) : family !== 6 || !isPlainIpv6(ip)) return null;
  const address = { ip: formatIp(ip), port: viewOf(plain).getUint16(0) };
  return { ...ids, address, listener: datagram[BODY_AT + 1 + MASKED_BYTES] ?? 0 };
}

/** What the MAC covers. */
export function authenticatedPart(datagram: Uint8Array): Uint8Array {
  return datagram.subarray(0, MAC_AT);
}

export function macOf(datagram: Uint8Array): Uint8Array {
  return datagram.subarray(MAC_AT);
}

function begin(head: Uint8Array, ids: { ticketId: Uint8Array; txid: Uint8Array }): Uint8Array {
  const bytes = new Uint8Array(DISCOVERY_BYTES);
  bytes.set(head);
  bytes.set(ids.ticketId, TICKET_ID_AT);
  bytes.set(ids.txid, TXID_AT);
  return bytes;
}

function idsOf(datagram: Uint8Array): { ticketId: Uint8Array; txid: Uint8Array } {
  return { ticketId: datagram.slice(TICKET_ID_AT, TXID_AT), txid: datagram.slice(TXID_AT, BODY_AT) };
}

/** RFC 8489 §14.2 has the reason: some NATs rewrite whatever looks like an address. The mask is the txid, over and over. */
function masked(bytes: Uint8Array, txid: Uint8Array): Uint8Array {
  return bytes.map((byte, index) => byte ^ (txid[index % TXID_BYTES] ?? 0));
}

/** IPv4 goes as family 4, never inside family 6. */
function isPlainIpv6(ip: Uint8Array): boolean {
  return formatIp(ip).includes(":");
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, head.length), head);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
