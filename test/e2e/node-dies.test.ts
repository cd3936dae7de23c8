import { afterEach, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRelayed } from "../../src/modes/peer/session-path.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";

const nodesTest = test.skipIf(nodesMissing !== null);
const FILE_BYTES = 64 * 1_048_576;
const UNDER_WAY_BYTES = 4 * 1_048_576;
/** People are back within 15 s; this machine may be busy. */
const BACK_MS = 60_000;

let nodes: Nodes;
let ana: Person;
let ben: Person;

beforeEach(async () => {
  if (nodesMissing !== null) return;
  nodes = await Nodes.open();
  [ana, ben] = [await nodes.register("ana", 0), await nodes.register("ben", 1)];
});
afterEach(async () => {
  if (nodesMissing === null) await nodes[Symbol.asyncDispose]();
});

async function killed(at: number): Promise<void> {
  const { process } = nodes.node(at);
  process.signal("SIGKILL");
  await process.finished();
}

async function said(here: P2p, there: P2p, text: string): Promise<void> {
  here.write(`${text}\n`);
  await there.waitFor("message", (message) => message.text === text, BACK_MS);
  await here.waitFor("delivered", () => true, BACK_MS);
}

for (const [at, whose] of [
  [0, "the asker's"],
  [1, "the other end's"],
] as const)
  nodesTest(
    `bad input 190: ${whose} node is killed: a direct session notices nothing, and who was there is found at the other node`,
    async () => {
      await using there = await ben.receiving();
      await using here = ana.startWith({ stdin: "open" }, "chat", "ben");
      for (const peer of [here, there]) await peer.waitFor("path", (path) => !isRelayed(path));
      await killed(at);
      await said(here, there, "nobody in between");
      for (const { events } of [here, there]) {
        expect(events.filter(({ event }) => event === "closed" || event === "error")).toEqual([]);
        expect(events.filter((event) => event.event === "path" && event.kind === "relay-ws")).toEqual([]);
      }
      if (at === 1) await there.waitForText("the server is back");
      const carl = await nodes.register("carl", 1 - at);
      expect((await carl.run("msg", "ben", "found")).exitCode).toBe(0);
      await there.waitFor("message", ({ from }) => from === "carl");
    },
    120_000,
  );

for (const [at, whose] of [
  [0, "the sender's"],
  [1, "the receiver's"],
] as const)
  nodesTest(
    `bad input 190: ${whose} node is killed in mid-transfer: a file over the server arrives whole over the other node`,
    async () => {
      const source = join(ana.home, "..", "large.bin");
      writeFileSync(source, randomBytes(FILE_BYTES));
      await using there = ben.start("receive", "--yes", "--relay-only", "--out", ben.inbox);
      await there.waitFor("waiting");
      await using here = ana.start("send", source, "@ben", "--relay-only");
      await here.waitFor("progress", ({ bytes }) => bytes > UNDER_WAY_BYTES, BACK_MS);
      await killed(at);
      expect((await here.finished(BACK_MS)).exitCode).toBe(0);
      expect(readFileSync(join(ben.inbox, "large.bin")).equals(readFileSync(source))).toBe(true);
    },
    180_000,
  );
