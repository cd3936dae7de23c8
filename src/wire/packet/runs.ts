import { MAX_RELAYED_PACKET_BYTES } from "../limits.ts";
import { lengthAt, packetType, type PacketType, receiverIndexAt, typeAt } from "./header.ts";
import { strideOf } from "./split.ts";

/** Packets behind each other, all but the last `stride` bytes long: sealed ones of one receiver index, or one of another type. */
export interface Run {
  readonly type: PacketType;
  readonly start: number;
  readonly end: number;
  readonly stride: number;
}

/**
 * Takes a buffer from receive offload apart for who can open nothing of it: a server. Where the heads agree on a length, each piece is
 * one datagram, and what does not fit into it is none of ours; else sealed packets are believed their lengths in turn. Packets of one
 * receiver stay together. Anybody may have forged one of the datagrams, which then costs no more than itself.
 */
export function* runsOf(buffer: Uint8Array): Generator<Run, void> {
  const first = typeAt(buffer, 0, buffer.length) === null ? 0 : lengthAt(buffer, 0);
  const isLone = first === buffer.length && first <= MAX_RELAYED_PACKET_BYTES;
  const stride = isLone ? first : strideOf(buffer, first);
  for (let at = 0; at < buffer.length;) {
    const type = typeOfPiece(buffer, at, stride);
    const length = type === null ? stride : lengthAt(buffer, at);
    if (length === 0) return;
    const end = type === packetType.sealed ? endOfRun(buffer, at, length, stride) : at + length;
    if (type === packetType.sealed || (type !== null && stride > 0)) yield { type, start: at, end, stride: length };
    at = end;
  }
}

/** @param stride 0: the packet's own word is taken for its length */
function typeOfPiece(buffer: Uint8Array, at: number, stride: number): PacketType | null {
  const most = stride === 0 ? buffer.length : Math.min(at + stride, buffer.length);
  const type = typeAt(buffer, at, most);
  return stride > 0 && lengthAt(buffer, at) !== most - at ? null : type;
}

/** Only the last packet of a run may be a shorter one. */
function endOfRun(buffer: Uint8Array, start: number, length: number, stride: number): number {
  const index = receiverIndexAt(buffer, start);
  let end = start + length;
  for (let next = length; next === length && end < buffer.length; end += next) {
    const isMore = typeOfPiece(buffer, end, stride) === packetType.sealed && receiverIndexAt(buffer, end) === index;
    next = lengthAt(buffer, end);
    if (!isMore || next > length) return end;
  }
  return end;
}
