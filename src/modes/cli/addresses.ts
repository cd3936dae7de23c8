import type { AdvertisedAddress, ListenAddress } from "./command.ts";
import { parseHost, parsePort, splitHostPort } from "./join-line.ts";
import { usageError } from "./problem.ts";

const LISTEN_FORM =
  "HOST:PORT is :7420 for every address, 1.2.3.4:7420, [::1]:7420 or name:7420; port 0 picks a free one";
const ADVERTISE_FORM = "HOST[:PORT] is what others reach this server by, as in p2p.example.org or 203.0.113.7:7420";

/** `HOST:PORT` to listen on. @throws UserError `usage` */
export function parseListen(text: string): ListenAddress {
  const split = splitHostPort(text);
  const host = split.host === "" ? null : parseHost(split.host);
  if (split.host !== "" && host === null) throw usageError(problemWithHost(text), LISTEN_FORM);
  const port = split.port === null ? null : parsePort(split.port);
  if (port === null) throw usageError(problemWithPort(split.port), LISTEN_FORM);
  return { host, port };
}

/** `HOST[:PORT]` for others to use. @throws UserError `usage` */
export function parseAdvertise(text: string): AdvertisedAddress {
  const split = splitHostPort(text);
  const host = parseHost(split.host);
  if (host === null) throw usageError(problemWithHost(text), ADVERTISE_FORM);
  if (split.port === null) return { host, port: null };
  const port = parsePort(split.port);
  if (port === null || port === 0) throw usageError(problemWithPort(split.port), ADVERTISE_FORM);
  return { host, port };
}

function problemWithHost(text: string): string {
  const bare = !text.startsWith("[") && text.split(":").length > 2;
  return bare ? "an IPv6 address stands in brackets" : "the host is neither a DNS name nor an address";
}

function problemWithPort(port: string | null): string {
  return port === null ? "there is no port" : "the port is not a number from 0 to 65535";
}
