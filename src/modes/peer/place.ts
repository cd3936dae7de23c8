import type { UdpAddress } from "../../wire/address.ts";
import type { OwnNetwork } from "../../wire/traversal/permit.ts";
import { hostIps, ownSubnets } from "./interfaces.ts";
import type { UdpEndpoint } from "./udp-endpoint.ts";

/** What this end knows of where it is, when a session begins or the network has changed. */
export interface Place {
  /** To tell the other end. */
  readonly hostIps: readonly string[];
  /** Where gateways let others reach us, to tell the other end too. */
  readonly mapped: readonly UdpAddress[];
  /** What the checks go by. */
  readonly network: OwnNetwork;
}

/** @param mapped where gateways let others reach us */
export function placeOf(endpoint: UdpEndpoint, mapped: readonly UdpAddress[] = []): Place {
  const ips = hostIps();
  const own = endpoint.sockets.flatMap(({ port }) => ips.map((ip): UdpAddress => ({ ip, port })));
  return {
    hostIps: ips,
    mapped,
    network: {
      subnets: ownSubnets(),
      addresses: [...own, ...endpoint.reflexive, ...mapped],
      servers: endpoint.servers,
    },
  };
}
