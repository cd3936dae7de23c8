import { scopeOf } from "../../../wire/address.ts";
import type { ServerNode } from "../../cli/join-line.ts";
import type { Output } from "../../cli/output.ts";
import type { PeerNode } from "../peer-node.ts";

/** Who this is, where, and what friends need. */
export function welcome(output: Output, node: PeerNode, folder: string, joinLine: string): void {
  output.note(`\nyou are ${node.name} at ${node.server}; what others send you lands in ${folder}`);
  tellFriends(output, joinLine);
}

/** On a line of its own, so that it can be copied whole. */
export function tellFriends(output: Output, joinLine: string): void {
  const isInvitation = joinLine.includes(".", joinLine.indexOf("#"));
  const forWhom = isInvitation
    ? "friends join with"
    : "friends join with an invitation of the operator, or, when they have an account, with";
  output.note(`${forWhom}\n\n  p2p ${joinLine}\n`);
}

/** A server at home is reached from there only. @returns what to say of it; null when anybody may reach it */
export function reachNote({ host, port }: ServerNode): string | null {
  if (!["private", "shared", "link-local"].includes(scopeOf(host))) return null;
  return `${host} is reached from your own network only; for friends elsewhere, run p2p server on a computer with a public address, or open TCP and UDP port ${port} on your router and give --advertise its address`;
}
