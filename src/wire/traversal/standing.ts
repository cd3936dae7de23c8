import { familyOf, sameAddress, scopeOf, type UdpAddress } from "../address.ts";
import { type Candidate, MAX_ANNOUNCED } from "./candidate.ts";
import type { MappingKind } from "./mapping.ts";
import type { Standing } from "./verdict.ts";

/** What is known of one end's addresses. */
export interface Whereabouts {
  /** Of its own sockets, on its own interfaces. */
  readonly hosts: readonly UdpAddress[];
  /** Where the server sees these sockets. */
  readonly seen: readonly UdpAddress[];
  /** How its NAT maps, over IPv4. */
  readonly mapping: MappingKind;
  /** At least one port is mapped for it by a router. */
  readonly portMapped: boolean;
}

/** How an end stands that shows where it is. */
export function standingOf({ hosts, seen, mapping, portMapped }: Whereabouts): Standing {
  const ipv6 = [...hosts, ...seen].some(({ ip }) => familyOf(ip) === 6 && scopeOf(ip) === "public");
  return { placement: isSeenAsItIs(hosts, seen) ? "open" : mapping, hides: false, ipv6, portMapped };
}

/** How an end stands that shows nothing. */
export const hiddenStanding: Standing = { placement: "unknown", hides: true, ipv6: false, portMapped: false };

/** The other end of a session, by what it announces and what the server tells of it. */
export class TheirStanding {
  /** The newest; no peer is to fill our memory with them. */
  readonly #hosts: UdpAddress[] = [];
  #seen: readonly UdpAddress[] = [];
  #portMapped = false;
  #mapping: MappingKind = "unknown";
  #hides = false;

  announced({ type, address }: Candidate): void {
    if (type === "port-mapped") this.#portMapped = true;
    if (type !== "host" || this.#hosts.some((each) => sameAddress(each, address))) return;
    this.#hosts.push(address);
    if (this.#hosts.length > MAX_ANNOUNCED) this.#hosts.shift();
  }

  attested(addresses: readonly UdpAddress[]): void {
    this.#seen = addresses;
  }

  maps(mapping: MappingKind): void {
    this.#mapping = mapping;
  }

  /** It says that it shows no address. */
  hides(): void {
    this.#hides = true;
  }

  get now(): Standing {
    if (this.#hides) return hiddenStanding;
    const [hosts, seen, mapping, portMapped] = [this.#hosts, this.#seen, this.#mapping, this.#portMapped];
    return standingOf({ hosts, seen, mapping, portMapped });
  }
}

/** No NAT is between this end and the server; on one machine with it nothing is. */
function isSeenAsItIs(hosts: readonly UdpAddress[], seen: readonly UdpAddress[]): boolean {
  const ipv4 = seen.filter(({ ip }) => familyOf(ip) === 4);
  return ipv4.some((each) => scopeOf(each.ip) === "loopback" || hosts.some((host) => sameAddress(host, each)));
}
