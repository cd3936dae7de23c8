import { afterEach, beforeEach, expect, test } from "bun:test";
import { Nodes, nodesMissing } from "../support/nodes.ts";
import type { Person } from "../support/community.ts";

const nodesTest = test.skipIf(nodesMissing !== null);

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

nodesTest("people at two nodes see, ring and write to each other as at one", async () => {
  await using bens = ben.start("receive", "--yes", "--out", ben.inbox);
  await bens.waitFor("waiting");
  const users = await ana.run("users");
  expect(users.events).toMatchObject([{ name: "ben", online: true }]);
  const said = await ana.run("msg", "ben", "across");
  expect(said.exitCode).toBe(0);
  expect(await bens.waitFor("message")).toMatchObject({ from: "ana", text: "across" });
});
