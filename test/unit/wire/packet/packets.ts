import { concat } from "../../../../src/wire/bytes.ts";
import { SEALED_HEADER_BYTES, SEALED_OVERHEAD_BYTES } from "../../../../src/wire/packet/header.ts";
import type { EpochKeys, PacketProtection } from "../../../../src/wire/packet/protection.ts";
import { seededRandom } from "../../../support/bytes.ts";

export const RECEIVER = 0xa1b2c3d4;
export const PATH = 3;

/** The keys of an epoch as its two ends hold them. */
export function keysOf(epoch: number): [EpochKeys, EpochKeys] {
  const [one, other] = [seededRandom(`${epoch} to`)(32), seededRandom(`${epoch} fro`)(32)];
  return [
    { epoch, sealKey: one, openKey: other },
    { epoch, sealKey: other, openKey: one },
  ];
}

/** One packet in memory of its own. */
export function sealed(by: PacketProtection, packetNumber: number, plaintext: Uint8Array, pathId = PATH): Uint8Array {
  const out = new Uint8Array(plaintext.length + SEALED_OVERHEAD_BYTES);
  out.set(plaintext, SEALED_HEADER_BYTES);
  by.seal(out, 0, RECEIVER, pathId, packetNumber, plaintext.length);
  return out;
}

/** Packets one behind the other, as receive offload hands them over. */
export function burst(...packets: readonly Uint8Array[]): Uint8Array {
  return concat(...packets);
}
