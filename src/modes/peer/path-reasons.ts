import { outlookOf, type Placement, type Standing } from "../../wire/traversal/verdict.ts";

/** Why a session goes over the server, and what would change that; both in words for a person, lower case, without a full stop. */
export interface Reason {
  readonly cause: string;
  readonly remedy: string;
  /** On these networks none will come, however long one waits. */
  readonly isFinal: boolean;
}

/** As a session begins, until what was tried has come to something. */
export const LOOKING = "looking for a direct path";

/**
 * How far the search for a direct path is: just `begun`, when addresses still come in; all `known` that an end can tell at once; everything `tried`
 * that could be.
 */
export type SearchStage = "begun" | "known" | "tried";

/** Nothing is to be said of networks while nobody is there. */
export const theyAreAway: Reason = {
  cause: "the server has lost them: their program or their network has stopped",
  remedy: "the session goes on if they come back within an hour",
  isFinal: false,
};

/** Why two ends have no direct path; null while there is hope. */
export function whyRelayed(own: Standing, theirs: Standing, stage: SearchStage): Reason | null {
  const isHopeless = own.hides || theirs.hides || (stage !== "begun" && outlookOf(own, theirs) === "none");
  if (!isHopeless && stage !== "tried") return null;
  return { cause: causeOf(own, theirs), remedy: remedyOf(own, theirs), isFinal: isHopeless };
}

/** In one line. */
export function reasonText({ cause, remedy }: Pick<Reason, "cause" | "remedy">): string {
  return `${cause}; ${remedy}`;
}

function causeOf(own: Standing, theirs: Standing): string {
  if (own.hides) return "this side hides its address (--relay-only)";
  if (theirs.hides) return "their side hides its address";
  const [here, there] = [own.placement, theirs.placement];
  if (here === "blocked" || there === "blocked")
    return `UDP is blocked ${sides(here === "blocked", there === "blocked")}`;
  if (here === "unknown" || there === "unknown")
    return `nothing came through, and nothing is known of the network ${sides(here === "unknown", there === "unknown")}`;
  return (
    natsOf(here, there) ?? "nothing came through, though both networks should let it: a firewall may be in the way"
  );
}

/** What hard NATs do with ports; null where there is none. */
function natsOf(here: Placement, there: Placement): string | null {
  const [ours, theirs] = [habits[here], habits[there]];
  if (ours === undefined && theirs === undefined) return null;
  if (here === there && ours !== undefined) return `both NATs ${ours.plural} per destination`;
  const parts = [
    ...(ours === undefined ? [] : [`the NAT on this side ${ours.singular} per destination`]),
    ...(theirs === undefined ? [] : [`the NAT on their side ${theirs.singular} per destination`]),
  ];
  return `${parts.join(", ")}${parts.length === 1 ? ", and no guess came through" : ""}`;
}

interface Habit {
  readonly singular: string;
  readonly plural: string;
}

const habits: Readonly<Partial<Record<Placement, Habit>>> = {
  sequential: { singular: "takes the next port", plural: "take the next port" },
  block: { singular: "picks a port of its block", plural: "pick a port of their block" },
  pool: { singular: "picks a port and an address", plural: "pick a port and an address" },
  random: { singular: "picks a random port", plural: "pick a random port" },
};

function remedyOf(own: Standing, theirs: Standing): string {
  if (own.hides) return `leave --relay-only out for a direct path${theirs.hides ? ", on both sides" : ""}`;
  if (theirs.hides) return "it is shown to whom they have accepted once, unless --relay-only is set there";
  const [here, there] = [own.placement === "blocked", theirs.placement === "blocked"];
  if (here || there) return `a network that lets UDP through would help ${sides(here, there)}`;
  if (own.ipv6 !== theirs.ipv6) return `IPv6 ${sides(theirs.ipv6, own.ipv6)} or port mapping on either side would help`;
  return "IPv6 or port mapping on either side would help";
}

function sides(here: boolean, there: boolean): string {
  if (here && there) return "on both sides";
  return here ? "on this side" : "on their side";
}
