import { formatIp, parseIp, type UdpAddress } from "../../address.ts";
import { concat } from "../../bytes.ts";

/** PCP and NAT-PMP gateways listen there. RFC 6887 §19, RFC 6886 §1.1. */
export const GATEWAY_PORT = 5_351;
export const PCP_NONCE_BYTES = 12;

/** RFC 6887 §7.4, as far as something depends on it. */
export const pcpResult = { success: 0, unsupportedVersion: 1, notAuthorized: 2, unsupportedOpcode: 4 } as const;

export interface PcpMapRequest {
  /** The address that the request leaves from and the mapping leads to. */
  readonly ownIp: string;
  /** Ties answers to questions, and later ones to the mapping: who knows it may end the mapping. */
  readonly nonce: Uint8Array;
  readonly internalPort: number;
  /** 0 ends the mapping. */
  readonly lifetimeSeconds: number;
  /** What we would like; the port of it alone when the address is not known yet. */
  readonly suggested: { readonly ip: string | null; readonly port: number };
}

export type PcpAnswer =
  | {
      readonly kind: "map";
      readonly result: number;
      readonly lifetimeSeconds: number;
      readonly epochSeconds: number;
      readonly nonce: Uint8Array;
      readonly internalPort: number;
      readonly external: UdpAddress;
    }
  /** There is a gateway, and it speaks another version only: NAT-PMP, most likely. */
  | { readonly kind: "other-version" };

const VERSION = 2;
const MAP = 1;
const ANSWER_BIT = 0x80;
const UDP = 17;
const HEAD_BYTES = 24;
const MAP_BYTES = HEAD_BYTES + 36;
/** RFC 6887 §7. */
const MAX_BYTES = 1_100;

/** RFC 6887 §7.1 and §11.1. @throws RangeError when the address is none */
export function encodePcpMap(request: PcpMapRequest): Uint8Array {
  const { ownIp, nonce, internalPort, lifetimeSeconds, suggested } = request;
  const bytes = concat(
    new Uint8Array(8),
    mapped(ownIp),
    nonce,
    new Uint8Array(8),
    mapped(suggested.ip ?? anyOf(ownIp)),
  );
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, MAP);
  view.setUint32(4, lifetimeSeconds);
  view.setUint8(36, UDP);
  view.setUint16(40, internalPort);
  view.setUint16(42, suggested.port);
  return bytes;
}

/** RFC 6887 §7.2 and §11.1, §9 for other versions. @returns null for what is no answer to a request of ours */
export function decodePcp(datagram: Uint8Array): PcpAnswer | null {
  if (isOtherVersion(datagram)) return { kind: "other-version" };
  if (datagram.length < MAP_BYTES || datagram.length > MAX_BYTES || datagram.length % 4 !== 0) return null;
  if (datagram[0] !== VERSION || datagram[1] !== (ANSWER_BIT | MAP) || datagram[36] !== UDP) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset);
  if (view.getUint8(3) === pcpResult.unsupportedVersion) return null; // to a question in the words of NAT-PMP
  return {
    kind: "map",
    result: view.getUint8(3),
    lifetimeSeconds: view.getUint32(4),
    epochSeconds: view.getUint32(8),
    nonce: datagram.slice(HEAD_BYTES, HEAD_BYTES + PCP_NONCE_BYTES),
    internalPort: view.getUint16(40),
    external: { ip: formatIp(datagram.subarray(44, 60)), port: view.getUint16(42) },
  };
}

/** NAT-PMP gateways say so in eight bytes or more (RFC 6886 §3.5), later versions of PCP as this one would. */
function isOtherVersion(datagram: Uint8Array): boolean {
  const [version = VERSION, operation = 0, high = 0, result] = datagram;
  if (datagram.length < 8 || datagram.length > MAX_BYTES || operation < ANSWER_BIT || version === VERSION) return false;
  return result === pcpResult.unsupportedVersion && (version !== 0 || high === 0);
}

/** In 16 bytes, as PCP writes both families. RFC 6887 §5. */
function mapped(ip: string): Uint8Array {
  const bytes = parseIp(ip);
  if (bytes === null) throw new RangeError(`not an address: ${ip}`);
  return bytes.length === 16 ? bytes : concat(new Uint8Array(10), Uint8Array.of(0xff, 0xff), bytes);
}

/** "Any address" of the same family. */
function anyOf(ip: string): string {
  return ip.includes(":") ? "::" : "0.0.0.0";
}
