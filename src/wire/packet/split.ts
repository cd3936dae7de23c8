import { lengthAt, typeAt } from "./header.ts";

/** The whole packets of a WebSocket message or the body of a forward, one behind the other. What follows the last one is dropped. */
export function* splitByLength(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; typeAt(bytes, at, bytes.length) !== null;) {
    const end = at + lengthAt(bytes, at);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Told where a packet lies whose head is in order; answers whether it proved authentic. */
export type OpenPacket = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Takes a buffer from receive offload apart. The kernel joins datagrams of one source and one size, of which only the last may be
 * shorter, but does not tell the size, and anyone can forge the source of the first. So no length is believed that only an unopened
 * packet states. The stride is the length of the first packet if that opens; else what all the other heads bear out, be it the stride
 * last authenticated from that source or the length of the first; else the one last authenticated; else each length in turn.
 * One of these per source.
 */
export class BurstSplitter {
  #authenticStride = 0;

  split(bytes: Uint8Array, open: OpenPacket): void {
    const first = typeAt(bytes, 0, bytes.length) === null ? 0 : lengthAt(bytes, 0);
    const opened = first > 0 && open(bytes, 0, first);
    if (opened && first < bytes.length) this.#authenticStride = first;
    const stride = opened ? first : this.#guess(bytes, first);
    if (stride > 0) openByStride(bytes, stride, open);
    else if (first > 0) openByLength(bytes, first, open);
  }

  #guess(bytes: Uint8Array, first: number): number {
    return [this.#authenticStride, first].find((stride) => isStride(bytes, stride)) ?? this.#authenticStride;
  }
}

/** Whether all packets but the first are `stride` long, the last one perhaps shorter; where there is only one nothing tells. */
function isStride(bytes: Uint8Array, stride: number): boolean {
  if (stride === 0 || stride >= bytes.length) return false;
  for (let at = stride; at < bytes.length; at += stride) if (!isPiece(bytes, at, stride)) return false;
  return true;
}

function openByStride(bytes: Uint8Array, stride: number, open: OpenPacket): void {
  for (let at = stride; at < bytes.length; at += stride)
    if (isPiece(bytes, at, stride)) open(bytes, at, at + lengthAt(bytes, at));
}

function openByLength(bytes: Uint8Array, start: number, open: OpenPacket): void {
  for (let at = start; typeAt(bytes, at, bytes.length) !== null; at += lengthAt(bytes, at))
    open(bytes, at, at + lengthAt(bytes, at));
}

/** A datagram holds one packet: its length is the stride, or for the last what is left. */
function isPiece(bytes: Uint8Array, at: number, stride: number): boolean {
  const end = Math.min(at + stride, bytes.length);
  return typeAt(bytes, at, end) !== null && lengthAt(bytes, at) === end - at;
}
