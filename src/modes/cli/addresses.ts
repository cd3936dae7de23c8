import { parseIp } from "../../wire/address.ts";
import type { AdvertisedAddress, AdvertisedPlace, ListenAddress } from "./command.ts";
import { defaultPortOf, MAX_NODES, parseHost, parsePort, splitHostPort } from "./join-line.ts";
import { usageError } from "./problem.ts";

const LISTEN_FORM =
  "HOST:PORT is :7420 for every address, 1.2.3.4:7420, [::1]:7420 or name:7420; port 0 picks a free one";
const PROXY_FORM =
  "name the proxy by its address or its network, as in 127.0.0.1, 172.18.0.0/16 or fd00::/64; everybody there is believed";
const ADVERTISE_FORM = "HOST[:PORT] is what others reach this server by, as in p2p.example.org or 203.0.113.7:7420";
const PLACE_FORM = `${ADVERTISE_FORM}; several are parted by commas; behind a proxy that ends TLS p2ps://HOST[:PORT]`;

/** `HOST:PORT` to listen on. @throws UserError `usage` */
export function parseListen(text: string): ListenAddress {
  const split = splitHostPort(text);
  refuseBareIpv6(text, LISTEN_FORM);
  if (split.port === null) throw usageError("there is no port", LISTEN_FORM);
  const host = split.host === "" ? null : readHost(split.host, LISTEN_FORM);
  return { host, port: readPort(split.port, 0, LISTEN_FORM) };
}

/** `HOST[:PORT]` for others to use. @throws UserError `usage` */
export function parseAdvertise(text: string): AdvertisedAddress {
  const split = splitHostPort(text);
  refuseBareIpv6(text, ADVERTISE_FORM);
  const host = readHost(split.host, ADVERTISE_FORM);
  return { host, port: split.port === null ? null : readPort(split.port, 1, ADVERTISE_FORM) };
}

/**
 * What join lines have before `/#KEY`: `[p2p://|p2ps://]HOST[:PORT][,HOST…][/]`. With a scheme the port is, where none is named, that of the
 * scheme, as in a join line; without one it is the port listened on. @throws UserError `usage`
 */
export function parseAdvertisedPlace(text: string): AdvertisedPlace {
  const [, scheme = null, hosts = ""] = /^(?:([^/]*):\/\/)?(.*?)\/?$/s.exec(text) ?? [];
  const secure = scheme === null ? null : scheme.toLowerCase() === "p2ps";
  if (scheme !== null && !/^p2ps?$/i.test(scheme)) throw usageError("the scheme is not p2p:// or p2ps://", PLACE_FORM);
  if (/[/#]/.test(hosts)) throw usageError("something follows the address", PLACE_FORM);
  const nodes = hosts.split(",").map((host) => parseAdvertise(host.trim()));
  if (nodes.length > MAX_NODES) throw usageError(`there are more than ${MAX_NODES} addresses`, PLACE_FORM);
  const port = secure === null ? null : defaultPortOf(secure);
  return { secure, nodes: nodes.map((node) => ({ ...node, port: node.port ?? port })) };
}

/** The addresses whose first `bits` are those of `address`, 4 or 16 bytes. */
export interface ProxyNetwork {
  readonly address: Uint8Array;
  readonly bits: number;
}

/** `ADDRESS[/BITS]` of proxies to believe. @throws UserError `usage` */
export function parseProxy(text: string): ProxyNetwork {
  const [ip = "", bitsText, ...others] = text.split("/");
  const address = ip.includes("%") ? null : parseIp(ip);
  if (address === null || others.length > 0)
    throw usageError("this is neither an address nor ADDRESS/BITS", PROXY_FORM);
  const all = 8 * address.length;
  const bits = bitsText === undefined ? all : /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : 0;
  if (bits < 1 || bits > all) throw usageError(`the bits of the network are not a number from 1 to ${all}`, PROXY_FORM);
  return { address, bits };
}

function refuseBareIpv6(text: string, form: string): void {
  if (!text.startsWith("[") && text.split(":").length > 2) throw usageError("an IPv6 address stands in brackets", form);
}

function readHost(text: string, form: string): string {
  const host = parseHost(text);
  if (host === null) throw usageError("the host is neither a DNS name nor an address", form);
  return host;
}

function readPort(text: string, least: number, form: string): number {
  const port = parsePort(text);
  if (port === null || port < least) throw usageError(`the port is not a number from ${least} to 65535`, form);
  return port;
}
