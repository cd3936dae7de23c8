import { canonicalIp, parseIp } from "../../wire/address.ts";
import { type ServerNode, splitHostPort } from "../cli/join-line.ts";

/**
 * Whether a list as in NO_PROXY keeps a server from being reached through a proxy, as curl reads it: `*`, names with all that is below
 * them, addresses, and networks as ADDRESS/BITS, parted by commas or blanks. `HOST:PORT` means that port alone.
 */
export function isExempt(list: string, node: ServerNode): boolean {
  return list.split(/[\s,]+/).some((entry) => entry !== "" && covers(entry.toLowerCase(), node));
}

function covers(entry: string, { host, port }: ServerNode): boolean {
  if (entry === "*") return true;
  const [, network, bits] = /^\[?([0-9a-f:.]+)\]?\/(\d{1,3})$/.exec(entry) ?? [];
  if (network !== undefined) return isInside(host, network, Number(bits));
  const whole = canonicalIp(entry);
  if (whole !== null) return whole === canonicalIp(host);
  const split = splitHostPort(entry);
  if (split.port !== null && split.port !== `${port}`) return false;
  return coversHost(split.host, host);
}

function coversHost(entry: string, host: string): boolean {
  const ip = canonicalIp(host);
  if (ip !== null) return canonicalIp(entry.replace(/^\[|\]$/g, "")) === ip;
  const name = entry.replace(/^\*?\./, "").replace(/\.$/, "");
  const asked = host.replace(/\.$/, "");
  return name !== "" && (asked === name || asked.endsWith(`.${name}`));
}

function isInside(host: string, network: string, bits: number): boolean {
  const [address, first] = [parseIp(host), parseIp(network)];
  if (address === null || first === null || address.length !== first.length) return false;
  return first.every((byte, at) => {
    const shift = 8 - Math.min(8, Math.max(0, bits - 8 * at));
    return byte >> shift === (address[at] ?? 0) >> shift;
  });
}
