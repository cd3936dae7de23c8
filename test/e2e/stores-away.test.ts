import { afterAll, beforeAll, expect, test } from "bun:test";
import { isRelayed } from "../../src/modes/peer/session-path.ts";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import type { DatabaseProcess } from "../support/database-process.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";
import { eventually, within } from "../support/within.ts";
import { BACK_MS, complaintsOf, eventuallyReaches, memberAt, visitorAt } from "./nodes-stage.ts";
import type { TestPeer } from "./server-stage.ts";

// Two nodes, their MongoDB stopped and frozen, and both stores away, back in either order. A person hears within 3 s that it is to be tried
// again, and all is as before 5 s after the last of them is back; this machine may be busy.
const TOLD_MS = 20_000;
const QUIET_MS = 30_000;
const BUSY = { kind: "failed", code: "busy", message: "the server cannot reach its accounts", retryMs: 5_000 };

/** A MongoDB that somebody else runs is not stopped. */
const isOurs = (process.env["P2P_TEST_MONGODB_URL"] ?? "") === "";
const nodesTest = test.skipIf(nodesMissing !== null || !isOurs);

let nodes: Nodes;
let mongodb: DatabaseProcess;
let carl: Person;
let near: P2p;
let far: P2p;
/** From ana to ben, straight from one program to the other. */
let chat: P2p;
let eve: TestPeer;
let beganAt = 0;

beforeAll(async () => {
  if (nodesMissing !== null || !isOurs) return;
  nodes = await Nodes.open();
  if (nodes.mongodb.process === null) throw new Error("a MongoDB of our own");
  mongodb = nodes.mongodb.process;
  const [ben, dora] = [await nodes.register("ben", 1), await nodes.register("dora", 0)];
  const ana = await nodes.register("ana", 0);
  carl = await nodes.register("carl", 0);
  [near, far] = [await dora.receiving(), await ben.receiving()];
  eve = await memberAt(nodes, 1, "eve");
  chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor("path", (path) => !isRelayed(path));
  for (const [name, peer] of [
    ["ben", far],
    ["dora", near],
  ] as const)
    await eventuallyReaches(carl, name, peer, "we meet");
  beganAt = performance.now();
}, 60_000);

afterAll(async () => {
  if (nodesMissing !== null || !isOurs) return;
  eve.close();
  for (const peer of [chat, near, far]) await peer[Symbol.asyncDispose]();
  await nodes[Symbol.asyncDispose]();
});

async function said(text: string): Promise<void> {
  chat.write(`${text}\n`);
  await far.waitFor("message", (message) => message.text === text);
}

/** At the other node. Each channel has five answers. */
async function eventuallyRegisters(name: string): Promise<void> {
  const { invite } = parseJoinLine(nodes.joinLine());
  const isIn = async () => {
    const peer = await visitorAt(nodes, 1);
    const { kind } = await within(TOLD_MS, peer.register(name, invite));
    peer.close();
    return kind === "signedIn";
  };
  await eventually(BACK_MS, isIn);
}

/** Nobody was signed out, nothing ended, and the log is short. */
function expectUndisturbed(): void {
  for (const peer of [near, far, chat]) {
    expect(peer.stderr).toBe("");
    // Carl tries again and again, and gives up each time: that is told, and disturbs nobody.
    expect(peer.events.filter((told) => told.event === "error" && !/ carl: /.test(told.message))).toEqual([]);
  }
  expect(chat.events.filter(({ event }) => event === "closed")).toEqual([]);
  expect(eve.socket.readyState).toBe(WebSocket.OPEN);
  const most = 1 + Math.floor((performance.now() - beganAt) / QUIET_MS);
  for (const at of [0, 1]) {
    expect(complaintsOf(nodes, at, '"store-trouble"').length).toBeWithin(1, most + 1);
    expect(complaintsOf(nodes, at).filter((line) => /defect|request-failed|    at /.test(line))).toEqual([]);
  }
}

/** What needs the accounts says when to try again, and what does not need them goes on. */
async function expectBusy(): Promise<void> {
  const here = await visitorAt(nodes, 0, eve.keys);
  expect(await within(TOLD_MS, here.signIn())).toMatchObject(BUSY);
  expect(await within(TOLD_MS, here.enrol("eve"))).toMatchObject(BUSY);
  expect(await within(TOLD_MS, here.signIn(eve.me?.token))).toMatchObject({ kind: "signedIn", name: "eve" });
  expect(await within(TOLD_MS, here.request({ kind: "listPeople", after: "", limit: 9 }))).toMatchObject(BUSY);
  expect(await within(TOLD_MS, here.request({ kind: "getTicket" }))).toMatchObject({ kind: "ticket" });
  const session = new Uint8Array(16).fill(1);
  here.tell({ kind: "ring", session, name: "ben", purpose: 1, previews: [] });
  expect(await within(TOLD_MS, here.hear("refused"))).toMatchObject({ session, code: "busy" });
  here.close();
  const newcomer = await visitorAt(nodes, 1);
  const { invite } = parseJoinLine(nodes.joinLine());
  expect(await within(TOLD_MS, newcomer.register("nobody", invite))).toMatchObject(BUSY);
  newcomer.close();
}

for (const [what, begin, end] of [
  ["is stopped", () => mongodb.stop(), () => mongodb.start()],
  ["is silent", () => mongodb.freeze(), async () => mongodb.thaw()],
] as const)
  nodesTest(
    `bad input 185: MongoDB ${what}: who comes is told to try again, a token holds, sessions go on, and all is as before when it is back`,
    async () => {
      await begin();
      try {
        await expectBusy();
        const told = await carl.run("users", "--wait", "1");
        expect([told.exitCode, told.events.at(-1)]).toMatchObject([
          11,
          { code: "busy", message: "the server cannot reach its accounts", hint: "try again in 5 s", side: "server" },
        ]);
        await said(`while MongoDB ${what}`);
      } finally {
        await end();
      }
      await eventuallyReaches(carl, "ben", far, `after MongoDB ${what}`);
      // No account was half made; a database that was silent may have made a whole one since.
      await eventuallyRegisters(what === "is stopped" ? "nobody" : "somebody");
      expectUndisturbed();
    },
    90_000,
  );

nodesTest(
  "bad inputs 71 and 185: what is revoked while MongoDB comes and goes is revoked within 5 s of a word from it, also with Redis away",
  async () => {
    const phone = await memberAt(nodes, 1, "fritz");
    const laptop = await visitorAt(nodes, 0);
    await laptop.enrol("fritz");
    await nodes.redis.process.stop();
    try {
      expect(await laptop.request({ kind: "revokeDevice", device: phone.deviceId })).toMatchObject({ kind: "done" });
      await within(BACK_MS, phone.closed);
      expect(phone.unheard).toContainEqual({ kind: "goodbye", code: "revoked", reconnectMs: 0 });
    } finally {
      await nodes.redis.process.start();
    }
    laptop.close();
    await eventuallyReaches(carl, "ben", far, "after a revocation");
  },
  90_000,
);

for (const redisFirst of [true, false])
  nodesTest(
    `bad input 186: both stores are away, and ${redisFirst ? "Redis" : "MongoDB"} is back first: all is as before without a restart`,
    async () => {
      const [first, second] = redisFirst ? [nodes.redis.process, mongodb] : [mongodb, nodes.redis.process];
      for (const store of [first, second]) await store.stop();
      try {
        await said(`nothing there, ${redisFirst}`);
        const back = await visitorAt(nodes, 0, eve.keys);
        expect(await within(TOLD_MS, back.signIn(eve.me?.token))).toMatchObject({ kind: "signedIn" });
        expect(await within(TOLD_MS, back.request({ kind: "listDevices" }))).toMatchObject(BUSY);
        back.close();
      } finally {
        await first.start();
      }
      await said(`one is back, ${redisFirst}`);
      await second.start();
      await eventuallyReaches(carl, "dora", near, `at one node, ${redisFirst}`);
      await eventuallyReaches(carl, "ben", far, `across, ${redisFirst}`);
      await eventuallyReaches(carl, "ben", far, `and again, ${redisFirst}`);
      await said(`all is back, ${redisFirst}`);
      expectUndisturbed();
    },
    90_000,
  );
