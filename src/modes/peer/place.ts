import type { UdpAddress } from "../../wire/address.ts";
import type { OwnNetwork } from "../../wire/traversal/permit.ts";
import { hostIps, ownSubnets } from "./interfaces.ts";
import type { UdpEndpoint } from "./udp-endpoint.ts";

/** What this end knows of where it is, when a session begins or the network has changed. */
export interface Place {
  /** To tell the other end. */
  readonly hostIps: readonly string[];
  /** What the checks go by. */
  readonly network: OwnNetwork;
}

export function placeOf(endpoint: UdpEndpoint): Place {
  const ips = hostIps();
  const own = endpoint.sockets.flatMap(({ port }) => ips.map((ip): UdpAddress => ({ ip, port })));
  return {
    hostIps: ips,
    network: { subnets: ownSubnets(), addresses: [...own, ...endpoint.reflexive], servers: endpoint.servers },
  };
}
