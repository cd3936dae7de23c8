import { afterAll, beforeAll, expect, test } from "bun:test";
import { isRelayed } from "../../src/modes/peer/session-path.ts";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";
import { eventually, within } from "../support/within.ts";
import { BACK_MS, complaintsOf, eventuallyReaches, memberAt, visitorAt } from "./nodes-stage.ts";
import type { TestPeer } from "./server-stage.ts";

// Two nodes, their Redis stopped, frozen, full, shut and emptied while people talk. All is as before 5 s after it is back, presence 30 s
// after it was emptied; this machine may be busy.
const QUIET_MS = 30_000;
/** After so long without a word from a node nothing of it is left in Redis. */
const LEASE_MS = 10_000;

const nodesTest = test.skipIf(nodesMissing !== null);
const away: readonly (readonly [string, () => Promise<unknown>, () => Promise<unknown>])[] = [
  ["is stopped", () => nodes.redis.process.stop(), () => nodes.redis.process.start()],
  ["is silent", () => nodes.redis.process.freeze(), thawLate],
  ["is full", async () => tell("config", "set", "maxmemory", "1"), async () => tell("config", "set", "maxmemory", "0")],
  ["asks for a password", askForPassword, async () => tell("-a", "open sesame", "config", "set", "requirepass", "")],
];

let nodes: Nodes;
let ana: Person;
let carl: Person;
/** At the same node as ana and carl, and at the other. */
let near: P2p;
let far: P2p;
/** From ana to ben, straight from one program to the other. */
let chat: P2p;
let eve: TestPeer;
let beganAt = 0;

beforeAll(async () => {
  if (nodesMissing !== null) return;
  nodes = await Nodes.open();
  const [ben, dora] = [await nodes.register("ben", 1), await nodes.register("dora", 0)];
  [ana, carl] = [await nodes.register("ana", 0), await nodes.register("carl", 0)];
  [near, far] = [await dora.receiving(), await ben.receiving()];
  eve = await memberAt(nodes, 1, "eve");
  chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor("path", (path) => !isRelayed(path));
  // Who have met do not wait behind strangers that ring.
  for (const name of ["ben", "dora"]) expect((await carl.run("msg", name, "we meet")).exitCode).toBe(0);
  for (const peer of [near, far]) await peer.waitFor("message", ({ text }) => text === "we meet");
  beganAt = performance.now();
}, 60_000);

afterAll(async () => {
  if (nodesMissing !== null) return;
  eve.close();
  for (const peer of [chat, near, far]) await peer[Symbol.asyncDispose]();
  await nodes[Symbol.asyncDispose]();
});

function tell(...command: readonly string[]): void {
  nodes.redis.tell(...command);
}

async function thawLate(): Promise<void> {
  await Bun.sleep(LEASE_MS);
  nodes.redis.process.thaw();
}

async function askForPassword(): Promise<void> {
  tell("config", "set", "requirepass", "open sesame");
  for (const kind of ["normal", "pubsub"]) tell("-a", "open sesame", "client", "kill", "type", kind, "skipme", "yes");
}

/** A line of the chat in ana's direct session with ben. */
async function said(text: string): Promise<void> {
  chat.write(`${text}\n`);
  await far.waitFor("message", (message) => message.text === text);
}

/** Two lines, that it is away and that it is back, in 30 s at most. */
function expectFewLines(): void {
  const most = 1 + Math.floor((performance.now() - beganAt) / QUIET_MS);
  for (const at of [0, 1]) {
    expect(complaintsOf(nodes, at, '"presence-away"').length).toBeWithin(1, most + 1);
    expect(complaintsOf(nodes, at, '"presence-back"').length).toBeLessThanOrEqual(most);
    expect(complaintsOf(nodes, at).filter((line) => /defect|trouble|request-failed|sesame/.test(line))).toEqual([]);
  }
}

for (const [what, begin, end] of away)
  nodesTest(
    `bad input 183: Redis ${what}: who is signed in stays so, sessions go on, a node's people reach each other, and all is as before when it is back`,
    async () => {
      await begin();
      try {
        await said(`while Redis ${what}`);
        await eventuallyReaches(carl, "dora", near, `beside me while Redis ${what}`);
        expect((await ana.run("users")).events).toContainEqual(
          expect.objectContaining({ name: "dora", online: true }) as never,
        );
        const back = await visitorAt(nodes, 1, eve.keys);
        expect(await back.signIn(eve.me?.token)).toMatchObject({ kind: "signedIn", name: "eve" });
        back.close();
      } finally {
        await end();
      }
      await eventuallyReaches(carl, "ben", far, `across after Redis ${what}`);
      await said(`after Redis ${what}`);
      for (const peer of [near, far, chat]) {
        expect(peer.events.filter(({ event }) => event === "closed" && peer === chat)).toEqual([]);
        expect(peer.stderr).toBe("");
      }
      expect(eve.socket.readyState).toBe(WebSocket.OPEN);
      expectFewLines();
    },
    90_000,
  );

nodesTest(
  "bad inputs 71 and 184: what was revoked at one node ends at the other, and stays revoked at both when Redis is emptied",
  async () => {
    const phone = await memberAt(nodes, 1, "fritz");
    const laptop = await visitorAt(nodes, 0);
    await laptop.enrol("fritz");
    const token = phone.me?.token ?? "";
    expect(await laptop.request({ kind: "revokeDevice", device: phone.deviceId })).toMatchObject({ kind: "done" });
    expect(await within(BACK_MS, phone.closed)).toBe(1_001);
    expect(phone.unheard).toContainEqual({ kind: "goodbye", code: "revoked", reconnectMs: 0 });
    tell("flushall");
    for (const at of [0, 1]) {
      const again = await visitorAt(nodes, at, phone.keys);
      expect(await again.signIn(token)).toMatchObject({ kind: "failed", code: "revoked" });
      expect(await again.signIn()).toMatchObject({ kind: "failed", code: "not-signed-in" });
      again.close();
    }
    laptop.close();
  },
  90_000,
);

nodesTest(
  "bad input 184: Redis is emptied: people are found again, and a session over the nodes goes on",
  async () => {
    await eventuallyReaches(carl, "ben", far, "before it is emptied");
    await using relayed = carl.startWith({ stdin: "open" }, "chat", "ben", "--relay-only");
    await relayed.waitFor("connected");
    tell("flushall");
    const isSeen = async () =>
      (await ana.run("users")).events.some((event) => event.event === "user" && event.name === "ben" && event.online);
    await eventually(BACK_MS, isSeen);
    relayed.write("over both nodes\n");
    await far.waitFor("message", ({ text }) => text === "over both nodes", BACK_MS);
    await said("emptied");
    expect(relayed.events.filter(({ event }) => event === "error")).toEqual([]);
  },
  90_000,
);

nodesTest("bad input 67: of two people who register one name in the same moment at two nodes one gets it", async () => {
  for (const name of ["gerd", "hans", "inge"]) {
    const peers = await Promise.all([visitorAt(nodes, 0), visitorAt(nodes, 1)]);
    const { invite } = parseJoinLine(nodes.joinLine());
    const answers = await Promise.all(peers.map((peer) => peer.register(name, invite)));
    const said = answers.map((answer) => (answer.kind === "failed" ? answer.code : answer.kind)).toSorted();
    expect(said).toEqual(["name-taken", "signedIn"]);
    for (const peer of peers) peer.close();
  }
});
