import { concat, equalBytes } from "../bytes.ts";
import { LEG_REPLY_BYTES, LEG_REQUEST_BYTES, MAX_LEG_INDEXES, PROTOCOL_VERSION } from "../limits.ts";

// PROTOCOL.md §8.2. How a relay leg is opened over UDP and kept: plain bytes, each kind of one length; numbers are big-endian.
//
//   request  type 5 | version 1 | length 2 | leg 16 | sequence 4 | cookie 16 | count 1 | zero 3 | receiver indexes 24×4 | MAC 16
//   reply    type 6 | version 1 | length 2 | leg 16 | sequence 4 | cookie 16 | registered 1 | refused 3 | MAC 16
//
// Only the two who hold the leg's key can write a MAC that fits; see relay/leg-keys.ts.

export const LEG_ID_BYTES = 16;
export const LEG_COOKIE_BYTES = 16;
/** Of the MAC at the end of both; it covers everything in front of it. */
export const LEG_MAC_BYTES = 16;

export interface LegRequest {
  readonly leg: Uint8Array;
  /** Unsigned 32-bit, rising with every request of one leg. */
  readonly sequence: number;
  /** What the server sent to where this comes from; zeros before that. */
  readonly cookie: Uint8Array;
  /** All that packets for this end may carry from now on, at most {@link MAX_LEG_INDEXES}. */
  readonly indexes: readonly number[];
}

export interface LegReply {
  readonly leg: Uint8Array;
  /** Of the request. */
  readonly sequence: number;
  /** To be repeated in what comes from there. */
  readonly cookie: Uint8Array;
  /** False: nothing was done, as the cookie of the request is none for where it came from. */
  readonly isRegistered: boolean;
  /** Places in the request's list, as bits: these are another's. */
  readonly refused: number;
}

const LEG_AT = 4;
const SEQUENCE_AT = LEG_AT + LEG_ID_BYTES;
const COOKIE_AT = SEQUENCE_AT + 4;
const BODY_AT = COOKIE_AT + LEG_COOKIE_BYTES;
const INDEXES_AT = BODY_AT + 4;
const REQUEST_HEAD = Uint8Array.of(5, PROTOCOL_VERSION << 4, 0, LEG_REQUEST_BYTES);
const REPLY_HEAD = Uint8Array.of(6, PROTOCOL_VERSION << 4, 0, LEG_REPLY_BYTES);

/** @returns bytes whose MAC is still zero. @throws RangeError for more indexes than there is room for */
export function encodeLegRequest({ leg, sequence, cookie, indexes }: LegRequest): Uint8Array {
  if (indexes.length > MAX_LEG_INDEXES) throw new RangeError("more receiver indexes than one request holds");
  const bytes = begin(REQUEST_HEAD, LEG_REQUEST_BYTES, leg, sequence, cookie);
  bytes[BODY_AT] = indexes.length;
  const view = viewOf(bytes);
  for (const [place, index] of indexes.entries()) view.setUint32(INDEXES_AT + 4 * place, index);
  return bytes;
}

/** @returns bytes whose MAC is still zero */
export function encodeLegReply({ leg, sequence, cookie, isRegistered, refused }: LegReply): Uint8Array {
  const bytes = begin(REPLY_HEAD, LEG_REPLY_BYTES, leg, sequence, cookie);
  viewOf(bytes).setUint32(BODY_AT, refused & 0xff_ffff);
  bytes[BODY_AT] = isRegistered ? 1 : 0;
  return bytes;
}

/** Allocates nothing. Only such a datagram is worth looking up its leg. */
export function isLegRequest(datagram: Uint8Array): boolean {
  return datagram.length === LEG_REQUEST_BYTES && startsWith(datagram, REQUEST_HEAD);
}

/** Of a request or reply. */
export function legIdOf(datagram: Uint8Array): Uint8Array {
  return datagram.subarray(LEG_AT, SEQUENCE_AT);
}

/** The MAC is not looked at. @returns null when it is no request, or what it does not use is not zero */
export function decodeLegRequest(datagram: Uint8Array): LegRequest | null {
  const count = datagram[BODY_AT] ?? 0;
  if (!isLegRequest(datagram) || count > MAX_LEG_INDEXES) return null;
  if (!isZero(datagram, BODY_AT + 1, INDEXES_AT)) return null;
  if (!isZero(datagram, INDEXES_AT + 4 * count, LEG_REQUEST_BYTES - LEG_MAC_BYTES)) return null;
  const view = viewOf(datagram);
  const indexes = Array.from({ length: count }, (_, place) => view.getUint32(INDEXES_AT + 4 * place));
  return { ...partsOf(datagram), indexes };
}

/** The MAC is not looked at. @returns null when it is no reply */
export function decodeLegReply(datagram: Uint8Array): LegReply | null {
  const kind = datagram[BODY_AT] ?? 0;
  if (datagram.length !== LEG_REPLY_BYTES || !startsWith(datagram, REPLY_HEAD) || kind > 1) return null;
  const refused = viewOf(datagram).getUint32(BODY_AT) & 0xff_ffff;
  return { ...partsOf(datagram), isRegistered: kind === 1, refused };
}

function begin(head: Uint8Array, length: number, leg: Uint8Array, sequence: number, cookie: Uint8Array): Uint8Array {
  const bytes = concat(head, leg, new Uint8Array(4), cookie, new Uint8Array(length - BODY_AT));
  viewOf(bytes).setUint32(SEQUENCE_AT, sequence);
  return bytes;
}

function partsOf(datagram: Uint8Array): Pick<LegRequest, "leg" | "sequence" | "cookie"> {
  return {
    leg: datagram.slice(LEG_AT, SEQUENCE_AT),
    sequence: viewOf(datagram).getUint32(SEQUENCE_AT),
    cookie: datagram.slice(COOKIE_AT, BODY_AT),
  };
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
