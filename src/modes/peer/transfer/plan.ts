import { UserError } from "../../cli/errors.ts";
import type { EntryList } from "./entry-list.ts";
import { writeFailure } from "./failure.ts";
import type { Inbox } from "./inbox.ts";
import { foldedName, localName } from "./local-name.ts";

/** What is left free on the disk for everything else. Bytes. */
const SPARE_BYTES = 64 * 1_024 * 1_024;

/** What is going to be received of an offer. */
export interface Plan {
  /** Entries that are there already and are left out. */
  readonly skipped: ReadonlySet<number>;
  /** Without those. */
  readonly bytes: number;
  /** Folded names in the folder, to which what is saved is added. */
  readonly taken: Set<string>;
}

/** @throws UserError `declined` where names that are taken make the person refuse */
export async function planFor(list: EntryList, inbox: Inbox, action: string): Promise<Plan> {
  const taken = await takenNames(inbox, action);
  const skipped = new Set<number>();
  if (inbox.conflict === "number") return { skipped, bytes: list.bytes, taken };
  let bytes = list.bytes;
  let index = 0;
  for await (const entry of list.entries()) {
    if (taken.has(foldedName(localName(entry.path.at(-1) ?? "")))) {
      skipped.add(index);
      bytes -= entry.bytes;
    }
    index += 1;
  }
  if (inbox.conflict === "refuse" && skipped.size > 0)
    throw new UserError("declined", `${action}: a file of the same name is there`, { hint: "use --conflict number" });
  return { skipped, bytes, taken };
}

/** @throws UserError `too-large` for more than the person takes, `disk-full` for more than the disk holds, `not-writable` */
export async function checkRoom(plan: Plan, inbox: Inbox, action: string): Promise<void> {
  if (inbox.maxBytes !== null && plan.bytes > inbox.maxBytes)
    throw new UserError("too-large", `${action}: they have ${plan.bytes} bytes, more than --max-bytes allows`);
  await inbox.folder.check();
  const freeBytes = await inbox.folder.freeBytes().catch((error: unknown) => {
    throw writeFailure(action, error);
  });
  if (freeBytes < plan.bytes + SPARE_BYTES)
    throw new UserError("disk-full", `${action}: they have ${plan.bytes} bytes, and ${freeBytes} are free`);
}

async function takenNames(inbox: Inbox, action: string): Promise<Set<string>> {
  try {
    return await inbox.folder.takenNames();
  } catch (error) {
    throw writeFailure(action, error);
  }
}
