import { WireError } from "./errors.ts";

/** Where UDP datagrams come from and go to. `ip` is canonical: see {@link canonicalIp}. */
export interface UdpAddress {
  readonly ip: string;
  readonly port: number;
}

/** What kind of place an address names, by the IANA special-purpose registries (RFC 6890). */
export type AddressScope =
  "public" | "private" | "shared" | "link-local" | "loopback" | "unspecified" | "multicast" | "reserved";

/** One string per address, for maps. */
export function addressKey(address: UdpAddress): string {
  return address.ip.includes(":") ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}

export function sameAddress(a: UdpAddress, b: UdpAddress): boolean {
  return a.port === b.port && a.ip === b.ip;
}

export function familyOf(ip: string): 4 | 6 {
  return ip.includes(":") ? 6 : 4;
}

/**
 * Strict: four decimal numbers without leading zeros, or RFC 4291 text; a zone is cut off; `::ffff:a.b.c.d` becomes `a.b.c.d`,
 * so that one peer has one spelling whichever socket saw it. `127.1` and `2130706433`, which the runtime would send to, are refused.
 * @returns null when it is no address
 */
export function canonicalIp(text: string): string | null {
  const bytes = parseIp(text.split("%", 1)[0] ?? "");
  return bytes === null ? null : formatIp(bytes);
}

/** @returns 4 or 16 bytes, IPv4-mapped addresses as 4; null when it is no address */
export function parseIp(text: string): Uint8Array | null {
  const bytes = text.includes(":") ? parseIpv6(text) : parseIpv4(text);
  return bytes !== null && isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** RFC 5952. @throws WireError when `bytes` are neither 4 nor 16 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new WireError("bad-message", `an address has 4 or 16 bytes, not ${bytes.length}`);
  if (isMapped(bytes)) return bytes.slice(12).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  const zeros = longestZeroRun(groups);
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return zeros.length < 2 ? text(0, 8) : `${text(0, zeros.start)}::${text(zeros.start + zeros.length, 8)}`;
}

export function scopeOf(ip: string): AddressScope {
  const bytes = parseIp(ip);
  if (bytes === null) return "reserved";
  return bytes.length === 4 ? scopeOfIpv4(bytes) : scopeOfIpv6(bytes);
}

/** The first 64 bits for IPv6, the whole address for IPv4: what one customer of a provider holds. */
export function networkOf(ip: string): string {
  const bytes = parseIp(ip);
  return bytes === null || bytes.length === 4
    ? ip
    : `${formatIp(new Uint8Array([...bytes.slice(0, 8), 0, 0, 0, 0, 0, 0, 0, 0]))}/64`;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  const numbers = parts.map((part) => (/^(?:0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return parts.length === 4 && numbers.every((number) => number <= 255) ? Uint8Array.from(numbers) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const head = ipv6Groups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? ipv6Groups(halves[1] ?? "", true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** Groups of 16 bits; the last may be dotted IPv4 where the text ends there. */
function ipv6Groups(text: string, atEnd: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (atEnd && index === parts.length - 1 && part.includes(".")) {
      const ipv4 = parseIpv4(part);
      if (ipv4 === null) return null;
      groups.push(((ipv4[0] ?? 0) << 8) | (ipv4[1] ?? 0), ((ipv4[2] ?? 0) << 8) | (ipv4[3] ?? 0));
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

function isMapped(bytes: Uint8Array): boolean {
  return (
    bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  );
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

function scopeOfIpv4(bytes: Uint8Array): AddressScope {
  const [a = 0, b = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) return "unspecified";
  if (a === 0 || a >= 240) return "reserved";
  if (a === 127) return "loopback";
  if (a >= 224) return "multicast";
  if (a === 169 && b === 254) return "link-local";
  if (a === 100 && b >= 64 && b < 128) return "shared";
  return a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) ? "private" : "public";
}

function scopeOfIpv6(bytes: Uint8Array): AddressScope {
  const [a = 0, b = 0] = bytes;
  if (bytes.slice(0, 15).every((byte) => byte === 0))
    return bytes[15] === 0 ? "unspecified" : bytes[15] === 1 ? "loopback" : "reserved";
  if (a === 0xff) return "multicast";
  if (a === 0xfe && (b & 0xc0) === 0x80) return "link-local";
  if ((a & 0xfe) === 0xfc) return "private";
  return (a & 0xe0) === 0x20 ? "public" : "reserved";
}
