import { familyOf, networkOf, sameAddress, scopeOf, type UdpAddress } from "../address.ts";
import { isAnnounceable, type Candidate } from "./candidate.ts";
import { isBroadcastOf, isInSubnet, type Subnet } from "./subnet.ts";

/** What this end knows of itself and of its server. */
export interface OwnNetwork {
  readonly subnets: readonly Subnet[];
  /** Where this end itself is reached, as far as known: never checked. */
  readonly addresses: readonly UdpAddress[];
  /** The server's ports as this end reaches them: never checked. */
  readonly servers: readonly UdpAddress[];
}

/** What a path to such an address is called. */
export type DirectKind = "lan" | "direct" | "port-mapped";

/** Leave to check an address. */
export interface Permit {
  readonly kind: DirectKind;
  /** How many checks it gets unanswered. */
  readonly maxChecks: number;
  /** Place in the order of checking, 0 first. */
  readonly rank: number;
  /** There may be a NAT in front of it that must not hear of us before it has been opened towards us. */
  readonly needsOpener: boolean;
}

/** One that the server attested, or that only our own link hears: all there are. */
export const FULL_CHECKS = 36;
/** The other end's own global IPv6 address, when the server saw nothing of that network. */
export const GLOBAL_IPV6_CHECKS = 20;
/** Any other: whoever is there did not ask for it. */
export const FEW_CHECKS = 6;
const LOWEST_UNATTESTED_PORT = 1_024;
/** For the own link: no NAT lies between. */
const nearPermit: Permit = { kind: "lan", maxChecks: FULL_CHECKS, rank: 0, needsOpener: false };

/**
 * Who may be sent unasked datagrams, and how many, so that no peer can turn another one against a third: PROTOCOL.md §10.5.
 * @param attested where the server saw the other end
 * @returns null when nothing is to be sent there
 */
export function permitFor(
  { type, address }: Candidate,
  own: OwnNetwork,
  attested: readonly UdpAddress[],
): Permit | null {
  const isAttested = attested.some((each) => sameAddress(each, address));
  if (isForbidden(address, own, isAttested)) return null;
  if (scopeOf(address.ip) === "loopback") return loopbackPermit(own, isAttested);
  const isNear = own.subnets.some((subnet) => isInSubnet(address.ip, subnet));
  if (isNear) return nearPermit;
  const kind = type === "port-mapped" ? "port-mapped" : "direct";
  const needsOpener = isPublicIpv4(address.ip) && attested.some(({ ip }) => ip === address.ip);
  return {
    kind,
    maxChecks: checksFor(type, address.ip, attested),
    rank: rankOf(type, address.ip, attested),
    needsOpener,
  };
}

function isForbidden(address: UdpAddress, own: OwnNetwork, isAttested: boolean): boolean {
  if (!isAnnounceable(address) && scopeOf(address.ip) !== "loopback") return true;
  if (address.port === 0 || (address.port < LOWEST_UNATTESTED_PORT && !isAttested)) return true;
  if ([...own.addresses, ...own.servers].some((each) => sameAddress(each, address))) return true;
  return own.subnets.some((subnet) => isBroadcastOf(address.ip, subnet));
}

/** Two programs on one machine: only where the server is on it too and says itself that the other end is. */
function loopbackPermit(own: OwnNetwork, isAttested: boolean): Permit | null {
  const isServerHere = own.servers.some(({ ip }) => scopeOf(ip) === "loopback");
  return isAttested && isServerHere ? nearPermit : null;
}

function checksFor(type: Candidate["type"], ip: string, attested: readonly UdpAddress[]): number {
  if (attested.some((each) => networkOf(each.ip) === networkOf(ip))) return FULL_CHECKS;
  return type === "host" && isGlobalIpv6(ip) ? GLOBAL_IPV6_CHECKS : FEW_CHECKS;
}

/** What is likely good first. 0 is for the own link. A router whose address the server never saw may be in front of another one. */
function rankOf(type: Candidate["type"], ip: string, attested: readonly UdpAddress[]): number {
  if (type === "predicted") return 5;
  if (isGlobalIpv6(ip)) return 1;
  if (type === "port-mapped") return attested.some((each) => each.ip === ip) ? 2 : 4;
  return scopeOf(ip) === "public" || type !== "host" ? 3 : 4;
}

function isGlobalIpv6(ip: string): boolean {
  return familyOf(ip) === 6 && scopeOf(ip) === "public";
}

function isPublicIpv4(ip: string): boolean {
  return familyOf(ip) === 4 && scopeOf(ip) === "public";
}
