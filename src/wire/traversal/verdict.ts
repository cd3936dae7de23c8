import { mappingKinds } from "./mapping.ts";

/** How the network of one end stands in the way of a direct path: as its NAT maps, or `open` where there is no NAT. */
export const placements = ["open", ...mappingKinds] as const;
export type Placement = (typeof placements)[number];

/** One end of a session, as far as is known of it. */
export interface Standing {
  readonly placement: Placement;
  /** It shows the other end no address, and uses none of the other's. */
  readonly hides: boolean;
  /** It has an IPv6 address that others can send to. */
  readonly ipv6: boolean;
  /** A router of its own lets in what comes to a port that was mapped for it. */
  readonly portMapped: boolean;
}

/**
 * Whether two ends find a direct path. `sure`: by plain checks. `likely`: ports have to be foretold or searched for, or a firewall decides.
 * `unlikely`: only by luck. `none`: there is no way. `unknown`: too little is known of one end.
 */
export type Outlook = "sure" | "likely" | "unlikely" | "none" | "unknown";

type Row = Readonly<Record<Placement, Outlook>>;

/**
 * IPv4 without port mapping. Sequential with any that keeps its port, or with another sequential, is foretold; a block is searched as a
 * window, random ports as a birthday; of a pool not even the address is certain, so that only who is open to all hears of it.
 */
const table: Readonly<Record<Placement, Row>> = {
  open: row("sure", "sure", "likely", "likely", "likely", "likely"),
  independent: row("sure", "sure", "likely", "likely", "unlikely", "likely"),
  sequential: row("likely", "likely", "likely", "unlikely", "none", "none"),
  block: row("likely", "likely", "unlikely", "none", "none", "none"),
  pool: row("likely", "unlikely", "none", "none", "none", "none"),
  random: row("likely", "likely", "none", "none", "none", "none"),
  blocked: { ...row("none", "none", "none", "none", "none", "none"), unknown: "none" },
  unknown: row("unknown", "unknown", "unknown", "unknown", "unknown", "unknown"),
};

export function outlookOf(own: Standing, theirs: Standing): Outlook {
  if (own.hides || theirs.hides) return "none";
  if (own.ipv6 && theirs.ipv6) return "sure";
  const isBlocked = own.placement === "blocked" || theirs.placement === "blocked";
  if (!isBlocked && (own.portMapped || theirs.portMapped)) return "sure";
  return table[own.placement][theirs.placement];
}

function row(
  open: Outlook,
  independent: Outlook,
  sequential: Outlook,
  block: Outlook,
  pool: Outlook,
  random: Outlook,
): Row {
  return { open, independent, sequential, block, pool, random, blocked: "none", unknown: "unknown" };
}
