import { type NetworkReport, placementIn } from "../../../wire/traversal/network-report.ts";
import type { Placement } from "../../../wire/traversal/verdict.ts";
import { type Reason, reasonText } from "../path-reasons.ts";
import type { PathInfo } from "../peer-session.ts";
import { isRelayed } from "../session-path.ts";

export interface PairFindings {
  readonly path: PathInfo;
  /** Why it is relayed; null where it is not, or nobody knows. */
  readonly reason: Reason | null;
  readonly own: NetworkReport;
  /** Null where the other end has not told. */
  readonly theirs: NetworkReport | null;
}

/** One sentence: direct or not, because whose side does what, and what would change it. */
export function pairVerdict({ path, reason, own, theirs }: PairFindings): string {
  if (isRelayed(path)) return `not direct: ${reason === null ? path.why : reasonText(reason)}`;
  return `direct: ${whyDirect(path, placementIn(own), theirs === null ? "unknown" : placementIn(theirs))}`;
}

function whyDirect({ kind, remote }: PathInfo, here: Placement, there: Placement): string {
  if (kind === "lan") return "both are in one network";
  if (remote.startsWith("[")) return "over IPv6 no NAT is in the way";
  if (kind === "port-mapped") return "a router has opened a port";
  const [ours, theirs] = [feats[here], feats[there]];
  if (ours !== undefined && theirs !== undefined) return `${ours} on this side, ${theirs} on their side`;
  if (ours !== undefined) return `${ours} on this side`;
  if (theirs !== undefined) return `${theirs} on their side`;
  if (here === "open" || there === "open") return `no NAT is in the way ${openSides(here, there)}`;
  return there === "independent" ? "both NATs keep one port for all destinations" : "what was tried came through";
}

/** What had to be done about a hard NAT. */
const feats: Readonly<Partial<Record<Placement, string>>> = {
  sequential: "the next port of the NAT was foretold",
  block: "a port out of the NAT's block was found",
  pool: "a port of the NAT was found",
  random: "one of the NAT's random ports was found",
};

function openSides(here: Placement, there: Placement): string {
  if (here === there) return "on either side";
  return here === "open" ? "on this side" : "on their side";
}
