import { familyOf } from "../../../wire/address.ts";
import type { Mapper } from "../../../wire/traversal/network-report.ts";
import type { Placement, Standing } from "../../../wire/traversal/verdict.ts";
import { formatHostPort } from "../../cli/join-line.ts";
import { ownStanding } from "../own-network.ts";
import type { Findings } from "./examine.ts";
import type { Visit } from "./server-visit.ts";

/** What a network allows: direct connections with almost everybody, most people, few or none. */
export type Allowed = "good" | "fair" | "poor" | "none" | "unknown";

export interface NetworkVerdict {
  readonly direct: Allowed;
  /** One sentence for a person. */
  readonly text: string;
}

/** What everything that was found comes to. */
export function networkVerdict(findings: Findings): NetworkVerdict {
  const { visit, ips, isHidden, view } = findings;
  if (ips.length === 0 && visit?.isReached !== true) return none("this machine is in no network");
  if (visit === null) return unknown("no server is known here, which could look at this network from outside");
  if (!visit.isReached) return unknown(visit.trouble?.message ?? "the server cannot be reached");
  if (isHidden)
    return withoutRelay(none("everything goes over the server: --relay-only shows nobody an address"), visit);
  if (visit.trouble !== null)
    return unknown(`the server answers, but does not let this device in: ${visit.trouble.message}`);
  if (visit.tickets.length === 0)
    return unknown(`the server at ${placeOf(visit)} answers, but looks at UDP for members only`);
  const standing = ownStanding(view, ips);
  if (standing.ipv6 && !ips.some((ip) => familyOf(ip) === 4)) return withoutRelay(ipv6Alone, visit);
  return withoutRelay(ofStanding(standing, view.mappers), visit);
}

function ofStanding(standing: Standing, mappers: readonly Mapper[]): NetworkVerdict {
  const { placement, ipv6, portMapped } = standing;
  if (portMapped && placement !== "blocked")
    return {
      direct: "good",
      text: `direct connections work with almost everybody: the router has opened a port, by ${namesOf(mappers)}`,
    };
  const [direct, text] = verdicts[placement];
  if (direct === "good") return { direct, text };
  if (!ipv6) return { direct, text: direct === "unknown" ? text : `${text}; ${remedies[direct]}` };
  if (direct === "none" || direct === "unknown")
    return { direct: "fair", text: `direct connections work over IPv6 alone: ${causes[direct]}` };
  return { direct, text: `${text}; over IPv6 they work with everybody who has it` };
}

const ipv6Alone: NetworkVerdict = {
  direct: "fair",
  text: "direct connections work with everybody who has IPv6 too: this machine has nothing else",
};

type Hard = Exclude<Allowed, "good" | "unknown">;

const verdicts: Readonly<Record<Placement, readonly [Allowed, string]>> = {
  open: ["good", "direct connections work with almost everybody: no NAT is in the way"],
  independent: ["good", "direct connections work with almost everybody: the NAT keeps one port for all destinations"],
  sequential: ["fair", "direct connections work with most people: the NAT's next port can be foretold"],
  block: [
    "fair",
    "direct connections work with most people, with some after a search: the NAT picks a port of its block per destination",
  ],
  random: [
    "fair",
    "direct connections work with many people, after a search of some seconds: the NAT picks a random port per destination",
  ],
  pool: ["poor", "direct connections work with few people: the NAT picks a port and an address per destination"],
  blocked: ["none", "everything goes over the server: UDP is blocked here"],
  unknown: ["unknown", "what this network does with UDP could not be told in time"],
};

const remedies: Readonly<Record<Hard, string>> = {
  fair: "IPv6 or port mapping would help",
  poor: "IPv6 or port mapping would help",
  none: "a network that lets UDP through would help",
};

const causes = { none: "UDP is blocked over IPv4", unknown: "nothing is known of IPv4" } as const;

const mapperNames: Readonly<Record<Mapper, string>> = { pcp: "PCP", "nat-pmp": "NAT-PMP", upnp: "UPnP" };

function namesOf(mappers: readonly Mapper[]): string {
  return mappers.map((mapper) => mapperNames[mapper]).join(" and ");
}

/** A server that carries no data leaves those without a direct path alone. */
function withoutRelay(verdict: NetworkVerdict, { relays }: Visit): NetworkVerdict {
  if (relays !== false || verdict.direct === "good") return verdict;
  return {
    ...verdict,
    text: `${verdict.text}; this server relays nothing, so that who has no direct path is out of reach`,
  };
}

function none(text: string): NetworkVerdict {
  return { direct: "none", text };
}

function unknown(text: string): NetworkVerdict {
  return { direct: "unknown", text };
}

function placeOf({ node }: Visit): string {
  return formatHostPort(node.host, node.port);
}
