import type { FilePolicy } from "../chat/room-files.ts";
import type { Desk } from "./desk.ts";

/** What becomes of files that somebody offers. */
export function filePolicy({ node, folder, places, context }: Desk, person: string): FilePolicy {
  const { yes, no } = context.settings;
  const isTrusted = yes || node.people.find(person).trust === "files";
  return { folder, places, conflict: "number", maxBytes: null, consent: no ? "decline" : isTrusted ? "accept" : "ask" };
}
