import { formatIp } from "../../address.ts";

/** RFC 6886 §3.5, as far as something depends on it. */
export const natPmpResult = { success: 0, unsupportedVersion: 1 } as const;

export type NatPmpAnswer =
  | {
      readonly kind: "external";
      readonly result: number;
      readonly epochSeconds: number;
      /** Without meaning unless the result is success. */
      readonly ip: string;
    }
  | {
      readonly kind: "map";
      readonly result: number;
      readonly epochSeconds: number;
      readonly internalPort: number;
      readonly externalPort: number;
      readonly lifetimeSeconds: number;
    }
  /** There is a gateway, and it speaks PCP only. */
  | { readonly kind: "other-version" };

const EXTERNAL = 0;
const MAP_UDP = 1;
const ANSWER_BIT = 0x80;
const EXTERNAL_BYTES = 12;
const MAP_BYTES = 16;
/** Far more than any answer has. */
const MAX_BYTES = 1_100;

/** RFC 6886 §3.2. */
export function encodeExternalRequest(): Uint8Array {
  return Uint8Array.of(0, EXTERNAL);
}

/** RFC 6886 §3.3. A lifetime of 0 ends the mapping, and goes with the external port 0. */
export function encodeMapRequest(internalPort: number, externalPort: number, lifetimeSeconds: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint8(1, MAP_UDP);
  view.setUint16(4, internalPort);
  view.setUint16(6, externalPort);
  view.setUint32(8, lifetimeSeconds);
  return new Uint8Array(view.buffer);
}

/** @returns null for what is no answer to a request of ours */
export function decodeNatPmp(datagram: Uint8Array): NatPmpAnswer | null {
  if (datagram.length < EXTERNAL_BYTES || datagram.length > MAX_BYTES) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset);
  const [version, operation] = [view.getUint8(0), view.getUint8(1)];
  if (version !== 0)
    return operation >= ANSWER_BIT && view.getUint8(3) === natPmpResult.unsupportedVersion
      ? { kind: "other-version" }
      : null;
  const common = { result: view.getUint16(2), epochSeconds: view.getUint32(4) };
  if (common.result === natPmpResult.unsupportedVersion) return null; // to a question in the words of PCP
  if (operation === (ANSWER_BIT | EXTERNAL))
    return { kind: "external", ...common, ip: formatIp(datagram.subarray(8, EXTERNAL_BYTES)) };
  if (operation !== (ANSWER_BIT | MAP_UDP) || datagram.length < MAP_BYTES) return null;
  return {
    kind: "map",
    ...common,
    internalPort: view.getUint16(8),
    externalPort: view.getUint16(10),
    lifetimeSeconds: view.getUint32(12),
  };
}
