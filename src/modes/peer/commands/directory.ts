import type { Command } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { openNode } from "../open-node.ts";
import { trustOf, type Person } from "../trust.ts";

export async function runUsers(context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  for (const { name, online } of await node.users()) tell(context, node.people.find(name), online);
  return 0;
}

/** People known here, whether the server still knows them or not. */
export async function runContacts(context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  const online = new Set((await node.users()).filter((user) => user.online).map(({ name }) => name));
  for (const person of node.people.list())
    if (person.name !== node.name) tell(context, person, online.has(person.name));
  return 0;
}

/** Here, so that nothing of theirs gets in; and on the server, so that they hear `offline`. */
export async function runBlock(
  { kind, person }: Command & { kind: "block" | "unblock" },
  context: PeerContext,
): Promise<number> {
  await using node = await openNode(context);
  const blocked = kind === "block";
  await node.request({ kind: "block", name: person, blocked });
  tell(context, await node.people.setBlocked(person, blocked), false);
  return 0;
}

function tell({ output }: PeerContext, person: Person, online: boolean): void {
  const { name, blocked } = person;
  output.event({ event: "user", name, online, trust: trustOf(person), ...(blocked && { blocked: true }) });
}
