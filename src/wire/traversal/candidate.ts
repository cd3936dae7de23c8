import { formatIp, parseIp, scopeOf, type UdpAddress } from "../address.ts";

/** How an address came to be known. The place in the list is its number on the wire; `peer-reflexive` is never announced. RFC 8445 §4. */
export const candidateTypes = ["host", "server-reflexive", "port-mapped", "predicted"] as const;
export type AnnouncedType = (typeof candidateTypes)[number];
export type CandidateType = AnnouncedType | "peer-reflexive";

/** An address that may reach a peer. */
export interface Candidate {
  readonly type: CandidateType;
  readonly address: UdpAddress;
}

/** The fields of a `candidate` frame, PROTOCOL.md §7.4. */
export interface CandidateFields {
  readonly type: number;
  readonly address: Uint8Array;
  readonly port: number;
}

/** Of one peer, of all kinds. */
export const MAX_ANNOUNCED = 16;

/** @throws RangeError when the address is none */
export function candidateToFields(type: AnnouncedType, address: UdpAddress): CandidateFields {
  const ip = parseIp(address.ip);
  if (ip === null) throw new RangeError(`not an address: ${address.ip}`);
  return { type: candidateTypes.indexOf(type), address: ip, port: address.port };
}

/** @returns null for an unknown type and for what no one may announce: a peer that sends such a thing is newer, broken or hostile */
export function candidateFromFields({ type, address, port }: CandidateFields): Candidate | null {
  const name = candidateTypes[type];
  if (name === undefined || (address.length !== 4 && address.length !== 16)) return null;
  const candidate = { type: name, address: { ip: formatIp(address), port } };
  return isAnnounceable(candidate.address) ? candidate : null;
}

/**
 * Whether one end may tell the other of this address. Never loopback, which the server alone may attest, nor link-local, which means
 * nothing without the name of an interface.
 */
export function isAnnounceable({ ip, port }: UdpAddress): boolean {
  const scope = scopeOf(ip);
  return port > 0 && port <= 65_535 && (scope === "public" || scope === "private" || scope === "shared");
}
