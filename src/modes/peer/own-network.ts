import { familyOf, sameAddress, scopeOf, type UdpAddress } from "../../wire/address.ts";
import type { Mapping } from "../../wire/traversal/mapping.ts";
import type { Mapper, NetworkReport, Reach } from "../../wire/traversal/network-report.ts";
import { standingOf } from "../../wire/traversal/standing.ts";
import type { Standing } from "../../wire/traversal/verdict.ts";
import { hostIps } from "./interfaces.ts";
import type { EndpointSocket } from "./udp-endpoint.ts";

/** What this program's UDP sockets have found out about the network they are in. */
export interface NetworkView {
  readonly sockets: readonly EndpointSocket[];
  /** Where the server sees them. */
  readonly reflexive: readonly UdpAddress[];
  /** The server's ports that were asked. */
  readonly servers: readonly UdpAddress[];
  /** Families in which they have not answered in time. */
  readonly unanswered: readonly (4 | 6)[];
  /** Of the NAT, over IPv4. */
  readonly mapping: Mapping;
  /** What has opened a port to the internet. */
  readonly mappers: readonly Mapper[];
}

/** @param ips this machine's own */
export function ownStanding(view: NetworkView, ips: readonly string[] = hostIps()): Standing {
  const mapping = view.sockets.some(({ family }) => family === 4) ? view.mapping.kind : "blocked";
  const portMapped = view.mappers.length > 0;
  return standingOf({ hosts: hostsOf(view, ips), seen: view.reflexive, mapping, portMapped });
}

/** What may be told to the other end of a session. @param ips this machine's own */
export function ownReport(view: NetworkView, ips: readonly string[] = hostIps()): NetworkReport {
  const [ipv4, ipv6] = [reachOf(4, view, ips), reachOf(6, view, ips)];
  return { hidden: false, ipv4, ipv6, mapping: view.mapping, mappers: view.mappers };
}

function reachOf(family: 4 | 6, view: NetworkView, ips: readonly string[]): Reach {
  const seen = view.reflexive.filter(({ ip }) => familyOf(ip) === family);
  if (seen.length > 0) return seen.some((each) => isOwn(each, hostsOf(view, ips))) ? "own" : "translated";
  const hasAddress = ips.some((ip) => familyOf(ip) === family && (family === 4 || scopeOf(ip) === "public"));
  const hasSocket = view.sockets.some((socket) => socket.family === family);
  if (!hasAddress && !isServerHere(family, view)) return "none";
  return !hasSocket || view.unanswered.includes(family) ? "blocked" : "unknown";
}

function hostsOf({ sockets }: NetworkView, ips: readonly string[]): UdpAddress[] {
  return sockets.flatMap(({ family, port }) =>
    ips.filter((ip) => familyOf(ip) === family).map((ip): UdpAddress => ({ ip, port })),
  );
}

/** On one machine with the server nothing is in between. */
function isOwn(seen: UdpAddress, hosts: readonly UdpAddress[]): boolean {
  return scopeOf(seen.ip) === "loopback" || hosts.some((host) => sameAddress(host, seen));
}

function isServerHere(family: 4 | 6, { servers }: NetworkView): boolean {
  return servers.some(({ ip }) => familyOf(ip) === family && scopeOf(ip) === "loopback");
}
