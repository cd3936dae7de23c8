import { lengthAt, packetType, SEALED_OVERHEAD_BYTES, typeAt } from "./header.ts";

/** The whole packets of a WebSocket message or the body of a forward, one behind the other. What follows the last one is dropped. */
export function* splitByLength(bytes: Uint8Array): Generator<Uint8Array, void> {
  for (let at = 0; typeAt(bytes, at, bytes.length) !== null;) {
    const end = at + lengthAt(bytes, at);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** As many heads as a forged packet of a usual length can hold to lead astray; more would only cost us time. */
const MAX_TRIES = 512;

/** Told where a packet lies whose head is in order; answers whether it proved authentic. */
export type OpenPacket = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Takes a buffer from receive offload apart. The kernel joins datagrams of one source and one size, of which only the last may be
 * shorter, but does not tell the size, and anyone can forge the source of the first. So no length is believed that only an unopened
 * packet states. The stride is the length of the first packet if that opens; else what all the other heads bear out, be it the stride
 * last authenticated from that source, the length of the first, or any other, as lengths change; else the one last authenticated; else
 * each length in turn. One of these per source.
 */
export class BurstSplitter {
  #authenticStride = 0;

  split(bytes: Uint8Array, open: OpenPacket): void {
    const first = typeAt(bytes, 0, bytes.length) === null ? 0 : lengthAt(bytes, 0);
    const opened = first > 0 && open(bytes, 0, first);
    if (opened && first < bytes.length) this.#authenticStride = first;
    const stride = opened ? first : this.#guess(bytes, first);
    if (stride > 0) this.#openByStride(bytes, stride, open);
    else if (first > 0) openByLength(bytes, first, open);
  }

  #guess(bytes: Uint8Array, first: number): number {
    if (isStride(bytes, this.#authenticStride)) return this.#authenticStride;
    return strideOf(bytes, first) || this.#authenticStride;
  }

  #openByStride(bytes: Uint8Array, stride: number, open: OpenPacket): void {
    for (let at = stride; at < bytes.length; at += stride) {
      const isAuthentic = isPiece(bytes, at, stride) && open(bytes, at, at + lengthAt(bytes, at));
      if (isAuthentic && at + stride < bytes.length) this.#authenticStride = stride;
    }
  }
}

/**
 * The stride that all heads but the first bear out: the length of the first, unless that lies, else whichever it is.
 * @param first that length; 0 where there is no head
 * @returns 0 when there is none, or too few packets to tell
 */
export function strideOf(bytes: Uint8Array, first: number): number {
  if (isStride(bytes, first)) return first;
  // Two heads at least: a single one also stands at the end of what is no stride.
  for (let at = SEALED_OVERHEAD_BYTES, tries = MAX_TRIES; 2 * at < bytes.length && tries > 0; at++) {
    if (bytes[at] !== packetType.sealed || lengthAt(bytes, at) !== at) continue;
    if (isStride(bytes, at)) return at;
    tries--;
  }
  return 0;
}

/** Whether all packets but the first are `stride` long, the last one perhaps shorter; where there is only one nothing tells. */
function isStride(bytes: Uint8Array, stride: number): boolean {
  if (stride === 0 || stride >= bytes.length) return false;
  for (let at = stride; at < bytes.length; at += stride) if (!isPiece(bytes, at, stride)) return false;
  return true;
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
