import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import type { Nodes } from "../support/nodes.ts";
import { TestPeer } from "./server-stage.ts";

/** A channel to that node, with its handshake done. */
export async function visitorAt(nodes: Nodes, at: number, keys = KeyPair.generate(systemRandom)): Promise<TestPeer> {
  const { key } = parseJoinLine(nodes.joinLine());
  const peer = new TestPeer(`ws://${nodes.node(at).http}/v1/channel`, key ?? new Uint8Array(), keys);
  await peer.opened;
  return peer;
}

/** Somebody new, signed in at that node. */
export async function memberAt(nodes: Nodes, at: number, name: string): Promise<TestPeer> {
  const peer = await visitorAt(nodes, at);
  const answer = await peer.register(name, parseJoinLine(nodes.joinLine()).invite);
  if (answer.kind !== "signedIn") throw new Error(`cannot register ${name}: ${JSON.stringify(answer)}`);
  return peer;
}

/** Lines of a node's log at level warn or error about this; about anything when it is left out. */
export function complaintsOf(nodes: Nodes, at: number, event = ""): readonly string[] {
  const lines = nodes.node(at).process.stderr.split("\n");
  return lines.filter((line) => /"level":"(warn|error)"/.test(line) && line.includes(event));
}
