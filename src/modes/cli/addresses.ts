import type { AdvertisedAddress, ListenAddress } from "./command.ts";
import { parseHost, parsePort, splitHostPort } from "./join-line.ts";
import { usageError } from "./problem.ts";

const LISTEN_FORM =
  "HOST:PORT is :7420 for every address, 1.2.3.4:7420, [::1]:7420 or name:7420; port 0 picks a free one";
const ADVERTISE_FORM = "HOST[:PORT] is what others reach this server by, as in p2p.example.org or 203.0.113.7:7420";

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
