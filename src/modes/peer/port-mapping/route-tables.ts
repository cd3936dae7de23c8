import { canonicalIp, familyOf, scopeOf } from "../../../wire/address.ts";

/** The router that everything goes to which is for nowhere else. */
export interface DefaultRoute {
  /** With its zone where it is link-local. */
  readonly gatewayIp: string;
}

interface Row extends DefaultRoute {
  readonly metric: number;
}

const UP_AND_GATEWAY = 0x3;

/** `/proc/net/route` of Linux: hex numbers, addresses in the byte order of the machine, which is little-endian wherever this runs. */
export function defaultInProcRoute(table: string): DefaultRoute | null {
  const rows = table.split("\n").flatMap((line): Row[] => {
    const [, destination, gateway = "", flags = "", , , metric, mask] = line.split(/\s+/);
    if (destination !== "00000000" || mask !== "00000000" || !isThroughGateway(flags)) return [];
    const bytes = /^[0-9A-F]{8}$/i.test(gateway) ? Uint8Array.fromHex(gateway).toReversed() : [];
    return rowOf(bytes.join("."), Number(metric));
  });
  return best(rows);
}

/** `/proc/net/ipv6_route` of Linux. */
export function defaultInProcIpv6Route(table: string): DefaultRoute | null {
  const rows = table.split("\n").flatMap((line): Row[] => {
    const [destination = "", prefix, , , gateway = "", metric = "", , , flags = "", name] = line.trim().split(/\s+/);
    if (!/^0{32}$/.test(destination) || prefix !== "00" || !isThroughGateway(flags)) return [];
    const groups = gateway.match(/[0-9a-f]{4}/gi) ?? [];
    return rowOf(`${groups.join(":")}%${name}`, Number.parseInt(metric, 16));
  });
  return best(rows);
}

/**
 * `netstat -rn` of macOS and the BSDs: the first default route of a family counts. Those with flag I hold for one interface alone.
 * @returns at most one of each family
 */
export function defaultsInNetstat(table: string): readonly DefaultRoute[] {
  const rows = table.split("\n").flatMap((line): Row[] => {
    const [destination, gateway = "", flags = ""] = line.trim().split(/\s+/);
    return destination === "default" && flags.includes("G") && !flags.includes("I") ? rowOf(gateway, 0) : [];
  });
  return ofEachFamily(rows);
}

/** `route print` of Windows, in any language: only rows of numbers are read. @returns at most one of each family */
export function defaultsInRoutePrint(table: string): readonly DefaultRoute[] {
  const rows = table.split("\n").flatMap((line): Row[] => {
    const ipv4 = /^\s*0\.0\.0\.0\s+0\.0\.0\.0\s+([\d.]+)\s+[\d.]+\s+(\d+)\s*$/.exec(line);
    if (ipv4 !== null) return rowOf(ipv4[1] ?? "", Number(ipv4[2]));
    const ipv6 = /^\s*(\d+)\s+(\d+)\s+::\/0\s+([\da-f:]+)\s*$/i.exec(line);
    return ipv6 === null ? [] : rowOf(`${ipv6[3]}%${ipv6[1]}`, Number(ipv6[2]));
  });
  return ofEachFamily(rows);
}

function isThroughGateway(flags: string): boolean {
  return (Number.parseInt(flags, 16) & UP_AND_GATEWAY) === UP_AND_GATEWAY;
}

/** @param text with or without a zone, which only link-local addresses keep */
function rowOf(text: string, metric: number): Row[] {
  const [bare = "", zone] = text.split("%");
  const ip = canonicalIp(bare);
  if (ip === null || Number.isNaN(metric) || ["unspecified", "loopback", "multicast"].includes(scopeOf(ip))) return [];
  const isZoned = familyOf(ip) === 6 && scopeOf(ip) === "link-local" && zone !== undefined;
  return [{ gatewayIp: isZoned ? `${ip}%${zone}` : ip, metric }];
}

function ofEachFamily(rows: readonly Row[]): readonly DefaultRoute[] {
  return ([4, 6] as const).flatMap((family) => best(rows.filter((row) => familyOf(row.gatewayIp) === family)) ?? []);
}

function best(rows: readonly Row[]): DefaultRoute | null {
  const [first] = rows.toSorted((a, b) => a.metric - b.metric);
  return first === undefined ? null : { gatewayIp: first.gatewayIp };
}
