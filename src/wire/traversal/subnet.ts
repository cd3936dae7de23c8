import { parseIp } from "../address.ts";

/** An address of this machine and how many of its leading bits its network shares. */
export interface Subnet {
  readonly ip: string;
  readonly prefix: number;
}

/** False across families and for what is no address. */
export function isInSubnet(ip: string, subnet: Subnet): boolean {
  const [address, own] = [parseIp(ip), parseIp(subnet.ip)];
  if (address === null || own === null || address.length !== own.length) return false;
  return address.every((byte, index) => ((byte ^ (own[index] ?? 0)) & maskAt(subnet.prefix, index)) === 0);
}

/** The last address of an IPv4 network, which all its hosts hear, and the first, which old ones hear too. RFC 919, RFC 3021. */
export function isBroadcastOf(ip: string, subnet: Subnet): boolean {
  const address = parseIp(ip);
  if (address?.length !== 4 || subnet.prefix > 30 || !isInSubnet(ip, subnet)) return false;
  const hostBits = (fill: number) =>
    address.every((byte, index) => ((byte ^ fill) & ~maskAt(subnet.prefix, index) & 255) === 0);
  return hostBits(0) || hostBits(255);
}

/** The byte of the network mask at `index`. */
function maskAt(prefix: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefix - 8 * index));
  return (0xff00 >> bits) & 255;
}
