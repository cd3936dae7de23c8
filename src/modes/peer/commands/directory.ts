import { type Command, SELF } from "../../cli/command.ts";
import type { PeerContext } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import { openNode } from "../open-node.ts";
import { trustOf, type Person } from "../trust.ts";

export async function runUsers(context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  const users = await node.users();
  for (const { name, online } of users) tell(context, node.people.find(name), online);
  if (users.length === 0) context.output.note("nobody else has an account here yet");
  return 0;
}

/** People known here, whether the server still knows them or not. */
export async function runContacts(context: PeerContext): Promise<number> {
  await using node = await openNode(context);
  const online = new Set((await node.users()).filter((user) => user.online).map(({ name }) => name));
  const people = node.people.list().filter(({ name }) => name !== node.name);
  for (const person of people) tell(context, person, online.has(person.name));
  if (people.length === 0) context.output.note("you have met nobody yet; `p2p users` shows who is there");
  return 0;
}

/** Here, so that nothing of theirs gets in; and on the server, so that they hear `offline`. */
export async function runBlock(
  { kind, person }: Command & { kind: "block" | "unblock" },
  context: PeerContext,
): Promise<number> {
  await using node = await openNode(context);
  const blocked = kind === "block";
  if (person === SELF || person === node.name)
    throw new UserError("usage", `cannot ${kind} ${person}: that is you`, { hint: "name somebody else" });
  await node.request({ kind: "block", name: person, blocked });
  const isOnline = (await node.users()).some(({ name, online }) => name === person && online);
  tell(context, await node.people.setBlocked(person, blocked), isOnline);
  return 0;
}

function tell({ output }: PeerContext, person: Person, online: boolean): void {
  const { name, blocked } = person;
  output.event({ event: "user", name, online, trust: trustOf(person), ...(blocked && { blocked: true }) });
}
