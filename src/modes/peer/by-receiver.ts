import { lengthAt, packetType, receiverIndexAt, typeAt } from "../../wire/packet/header.ts";
import { strideOf } from "../../wire/packet/split.ts";

/**
 * Cuts what the kernel has joined where the type or the receiver index changes. What has no head of ours stays with what stands before
 * it. Where all heads but the first agree on a length, the first one's word is not taken, or what lies within it could pass for heads.
 * @param isOurs whether somebody here has the receiver index: of a buffer that is one packet for him no byte is looked at twice
 */
export function* byReceiver(buffer: Uint8Array, isOurs: (receiverIndex: number) => boolean): Generator<Uint8Array> {
  const first = lengthOf(buffer, 0);
  const isLone = first === buffer.length && isOurs(keyAt(buffer, 0));
  const stride = isLone ? 0 : strideOf(buffer, first);
  let start = 0;
  for (let at = stride || first; at < buffer.length; at += stride || lengthOf(buffer, at)) {
    if (keyAt(buffer, at) === keyAt(buffer, start)) continue;
    yield buffer.subarray(start, at);
    start = at;
  }
  yield start === 0 ? buffer : buffer.subarray(start);
}

function lengthOf(buffer: Uint8Array, at: number): number {
  return typeAt(buffer, at, buffer.length) === null ? buffer.length : lengthAt(buffer, at);
}

/** A discovery reply stands alone. */
function keyAt(buffer: Uint8Array, at: number): number {
  return typeAt(buffer, at, buffer.length) === packetType.sealed ? receiverIndexAt(buffer, at) : -1 - at;
}
