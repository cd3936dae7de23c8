import { concat } from "../bytes.ts";
import { DISCOVERY_BYTES, LEG_REPLY_BYTES, LEG_REQUEST_BYTES, PROTOCOL_VERSION } from "../limits.ts";
import { KEY_BYTES, TAG_BYTES } from "../noise/primitives.ts";

// PROTOCOL.md §2. Everything of ours on UDP begins with the same 4 bytes, numbers big-endian; sealed packets go on for 12 more:
//
//   type 1 | version 4 bits, epoch 4 bits | length 2 | receiver index 4 | path id 2 | packet number 6 | ciphertext | tag 16
//
// Path id and packet number are the counter, which makes the nonce; the 16 bytes are the associated data. All functions work in
// place, at an offset, so that a burst is read and written without an allocation per packet.

export const HEAD_BYTES = 4;
export const SEALED_HEADER_BYTES = 16;
/** What sealing adds to a payload: header and tag. */
export const SEALED_OVERHEAD_BYTES = SEALED_HEADER_BYTES + TAG_BYTES;
/** Where the counter lies in the header. */
export const COUNTER_AT = 8;
export const MAX_PATH_ID = 2 ** 16 - 1;
export const MAX_PACKET_NUMBER = 2 ** 48 - 1;
/** Epochs come back to the same 4 bits after as many. */
export const EPOCHS_IN_HEADER = 16;

export const packetType = {
  discoveryRequest: 1,
  discoveryReply: 2,
  sealed: 3,
  /** Behind the head a Noise handshake message; only ever inside the channel to the server. */
  handshake: 4,
  legRequest: 5,
  legReply: 6,
} as const;
export type PacketType = (typeof packetType)[keyof typeof packetType];

/** No packet is shorter, by type. */
const LEAST_BYTES = [
  0,
  DISCOVERY_BYTES,
  DISCOVERY_BYTES,
  SEALED_OVERHEAD_BYTES,
  HEAD_BYTES + KEY_BYTES + TAG_BYTES,
  LEG_REQUEST_BYTES,
  LEG_REPLY_BYTES,
];

/**
 * The type of the packet that begins at `at`, when its head is one of ours and all of it lies before `end`.
 * @returns null when it is nothing of ours
 */
export function typeAt(bytes: Uint8Array, at: number, end: number): PacketType | null {
  const type = bytes[at] ?? 0;
  const least = LEAST_BYTES[type] ?? 0;
  const length = lengthAt(bytes, at);
  if (least === 0 || length < least || length > end - at || versionAt(bytes, at) !== PROTOCOL_VERSION) return null;
  return type === packetType.sealed || epochAt(bytes, at) === 0 ? (type as PacketType) : null;
}

/** Of the whole packet, its head included. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at + 2);
}

/** The epoch modulo {@link EPOCHS_IN_HEADER}. */
export function epochAt(bytes: Uint8Array, at: number): number {
  return (bytes[at + 1] ?? 0) & 15;
}

export function receiverIndexAt(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at + 4) * 2 ** 16 + uint16(bytes, at + 6);
}

export function pathIdAt(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at + COUNTER_AT);
}

export function packetNumberAt(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at + 10) * 2 ** 32 + uint16(bytes, at + 12) * 2 ** 16 + uint16(bytes, at + 14);
}

/** @param epoch its lower 4 bits are written; 0 for everything but sealed packets */
export function writeHead(out: Uint8Array, at: number, type: PacketType, epoch: number, length: number): void {
  out[at] = type;
  out[at + 1] = (PROTOCOL_VERSION << 4) | (epoch % EPOCHS_IN_HEADER);
  writeUint16(out, at + 2, length);
}

export function writeReceiverIndex(out: Uint8Array, at: number, receiverIndex: number): void {
  writeUint16(out, at + 4, receiverIndex >>> 16);
  writeUint16(out, at + 6, receiverIndex);
}

/** 8 bytes at `at`, be it {@link COUNTER_AT} of a header or the end of a nonce. */
export function writeCounter(out: Uint8Array, at: number, pathId: number, packetNumber: number): void {
  writeUint16(out, at, pathId);
  writeUint16(out, at + 2, packetNumber / 2 ** 32);
  writeUint16(out, at + 4, packetNumber / 2 ** 16);
  writeUint16(out, at + 6, packetNumber);
}

/** A Noise handshake message behind the head. */
export function handshakePacket(message: Uint8Array): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  writeHead(head, 0, packetType.handshake, 0, HEAD_BYTES + message.length);
  return concat(head, message);
}

function versionAt(bytes: Uint8Array, at: number): number {
  return (bytes[at + 1] ?? 0) >> 4;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The lower 16 bits of an integer below 2^53, or of what division left of one. */
function writeUint16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}
