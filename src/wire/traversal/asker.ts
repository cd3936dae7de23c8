import { sameAddress, scopeOf, type UdpAddress } from "../address.ts";

/** None, and services that answer strangers: echo, discard, daytime, quote, chargen, DNS, TFTP, portmapper, NTP, SNMP, CLDAP, SSDP, mDNS, memcached. */
const REFLECTING_PORTS = new Set([0, 7, 9, 13, 17, 19, 53, 69, 111, 123, 161, 389, 1_900, 5_353, 11_211]);

/**
 * Whether somebody may be asking a server from there. Anybody can write any source into a datagram, and an answer must not knock where
 * no peer can be.
 * @param own where the server itself is reached
 */
export function mayAsk(from: UdpAddress, own: readonly UdpAddress[], mayBeLoopback: boolean): boolean {
  if (REFLECTING_PORTS.has(from.port) || own.some((each) => sameAddress(each, from))) return false;
  const scope = scopeOf(from.ip);
  return scope === "loopback" ? mayBeLoopback : scope === "public" || scope === "private" || scope === "shared";
}
