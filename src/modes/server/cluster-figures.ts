import type { Bus } from "../../store/bus.ts";
import { MAX_PAGE_ENTRIES } from "../../store/limits.ts";
import type { PresenceStore } from "../../store/presence.ts";
import type { SharedStores } from "../../store/shared.ts";
import type { ClusterFigures } from "../cli/events.ts";
import type { Services } from "./services.ts";

/** No node has this id: those of nodes are hexadecimal. */
const NOBODY = "nobody";

/** What this node sees of all; null when it is the only one by its settings. */
export async function clusterFigures(
  { link, ownPlace }: Pick<Services, "link" | "ownPlace">,
  { bus, presence }: Pick<SharedStores, "bus" | "presence">,
): Promise<ClusterFigures | null> {
  if (ownPlace === null) return null;
  const ms = await redisMs(bus);
  const people = ms === null ? null : await countOnline(presence);
  return { nodes: link.others.size + 1, people, redisMs: ms };
}

/** Milliseconds until Redis took a message for nobody, by the way that nodes speak; null when it did not. */
export async function redisMs(bus: Bus): Promise<number | null> {
  const startedAt = performance.now();
  if ((await bus.publish(NOBODY, new Uint8Array())) === "away") return null;
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

/** What a running server of perhaps another version has said. */
export function isClusterOrNull(value: unknown): value is ClusterFigures | null {
  if (value === null) return true;
  if (typeof value !== "object" || !("nodes" in value && "people" in value && "redisMs" in value)) return false;
  const { nodes, people, redisMs: ms } = value;
  return typeof nodes === "number" && [people, ms].every((each) => each === null || typeof each === "number");
}

async function countOnline(presence: PresenceStore): Promise<number> {
  let count = 0;
  for (let after = ""; ;) {
    const page = await presence.online({ after, limit: MAX_PAGE_ENTRIES });
    count += page.length;
    if (page.length < MAX_PAGE_ENTRIES) return count;
    after = page.at(-1)?.name ?? "";
  }
}
