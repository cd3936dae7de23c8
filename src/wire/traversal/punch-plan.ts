import { isHard, type Mapping } from "./mapping.ts";

/**
 * What finds a way between two ends whose plain checks find none, because a NAT gives the one a port that the other cannot know.
 * `predict`: the next ports in the row; `window`: ports near those it gave before; `birthday`: any port, while many are open. The place in the list is its number on the wire.
 */
export const searches = ["predict", "window", "birthday"] as const;
export type Search = (typeof searches)[number];

export interface PunchPlan {
  /** What the other end is to do towards the ports that we open; null where we open none. */
  readonly ours: Search | null;
  /** Whether we do the like towards its ports. */
  readonly seeksTheirs: boolean;
}

const none: PunchPlan = { ours: null, seeksTheirs: false };

/** Both ends come to matching plans. Two hard NATs are left alone unless the ports of both can be told: too many pairs of ports. */
export function punchPlan(own: Mapping, theirs: Mapping): PunchPlan {
  if (own.kind === "blocked" || theirs.kind === "blocked") return none;
  if (own.kind === "sequential" && theirs.kind === "sequential") return { ours: "predict", seeksTheirs: true };
  if (isHard(own) && isHard(theirs)) return none;
  return { ours: searchFor(own), seeksTheirs: searchFor(theirs) !== null };
}

function searchFor({ kind }: Mapping): Search | null {
  if (kind === "sequential") return "predict";
  if (kind === "block") return "window";
  return kind === "random" ? "birthday" : null;
}
