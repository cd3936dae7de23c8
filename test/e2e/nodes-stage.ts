import { expect } from "bun:test";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import type { Nodes } from "../support/nodes.ts";
import { TestPeer } from "./server-stage.ts";

/** All is as before 5 s after a store is back; this machine may be busy. */
export const BACK_MS = 60_000;
const AGAIN_MS = 1_000;

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

/** This text reaches that person, at the latest after a while. Not so often that the sender rings too much. */
export async function eventuallyReaches(from: Person, name: string, at: P2p, text: string): Promise<void> {
  let answer = await from.run("msg", name, text, "--wait", "3");
  for (const deadline = performance.now() + BACK_MS; answer.exitCode !== 0 && performance.now() < deadline;) {
    await Bun.sleep(AGAIN_MS);
    answer = await from.run("msg", name, text, "--wait", "3");
  }
  expect(answer.events.at(-1)).toMatchObject({ event: "closed" });
  await at.waitFor("message", (message) => message.text === text);
}
