import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { pack, unpack } from "../../src/store/redis/outbox.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { fromHex } from "../../src/wire/bytes.ts";
import { NodeSealer } from "../../src/wire/cluster/node-seal.ts";
import { nodeMessages } from "../../src/wire/messages/nodes.ts";
import { flipBit } from "../support/bytes.ts";
import { type P2p, run, start } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { temporaryFolder } from "../support/folder.ts";
import { Nodes, nodesMissing } from "../support/nodes.ts";
import { eventually } from "../support/within.ts";
import { complaintsOf, memberAt } from "./nodes-stage.ts";
import type { TestPeer } from "./server-stage.ts";

// Whoever reaches the Redis of two nodes says there what he likes; and nodes that do not belong to them want to join.
const nodesTest = test.skipIf(nodesMissing !== null);
const SOON_MS = 20_000;

let nodes: Nodes;
let ana: Person;
let far: P2p;
/** Signed in at the second node. */
let eve: TestPeer;
/** Whoever reaches Redis. */
let stranger: Redis;
let channels: readonly string[];

beforeAll(async () => {
  if (nodesMissing !== null) return;
  nodes = await Nodes.open();
  const ben = await nodes.register("ben", 1);
  ana = await nodes.register("ana", 0);
  far = await ben.receiving();
  eve = await memberAt(nodes, 1, "eve");
  stranger = new Redis(nodes.redis.process.port, "127.0.0.1");
  channels = nodes.redis.tell("pubsub", "channels", "*:bus:*").split("\n");
}, 60_000);

afterAll(async () => {
  if (nodesMissing !== null) return;
  stranger.disconnect();
  eve.close();
  await far[Symbol.asyncDispose]();
  await nodes[Symbol.asyncDispose]();
});

async function expectUndisturbed(): Promise<void> {
  expect((await ana.run("msg", "ben", "undisturbed")).exitCode).toBe(0);
  await far.waitFor("message", ({ text }) => text === "undisturbed");
  expect(far.stderr).toBe("");
  expect([eve.socket.readyState, eve.unheard.filter(({ kind }) => kind === "goodbye")]).toEqual([WebSocket.OPEN, []]);
  for (const at of [0, 1])
    expect(complaintsOf(nodes, at).filter((line) => /defect|trouble|request-failed/.test(line))).toEqual([]);
}

function idIn(channel: string): Uint8Array {
  return fromHex(channel.split(":").at(-1) ?? "") ?? new Uint8Array();
}

/** What goes over the nodes' channels until ben has been written to once. */
async function overheard(): Promise<ReadonlyMap<string, readonly Uint8Array[]>> {
  const heard = new Map<string, Uint8Array[]>(channels.map((channel) => [channel, []]));
  const ear = stranger.duplicate();
  ear.on("messageBuffer", (channel: Buffer, packed: Buffer) => {
    for (const message of unpack(new Uint8Array(packed))) heard.get(channel.toString())?.push(message.slice());
  });
  await ear.subscribe(...channels);
  await expectUndisturbed();
  await eventually(SOON_MS, () => [...heard.values()].every(({ length }) => length > 0));
  ear.disconnect();
  return heard;
}

nodesTest(
  "bad input 187: what strangers put on the bus, captured, changed or made up, is dropped with one line",
  async () => {
    expect(channels).toHaveLength(2);
    const captured = await overheard();
    const devices = [eve.deviceId];
    const forgery = nodeMessages.encode({ kind: "revoked", devices });
    for (const [channel, genuine] of captured) {
      const [from = ""] = channels.filter((other) => other !== channel);
      const forged = new NodeSealer(systemRandom(32), idIn(from)).seal(idIn(channel), forgery);
      const elsewhere = captured.get(from) ?? [];
      const changed = genuine.flatMap((each) => [each.with(0, 2), flipBit(each, 8 * each.length - 1)]);
      for (const message of [...genuine, ...elsewhere, ...changed, forged, forgery, systemRandom(500)])
        await stranger.publish(channel, Buffer.from(pack([message])));
      for (const raw of [
        new Uint8Array(),
        systemRandom(1_048_576),
        new Uint8Array(1_048_576),
        forgery,
        systemRandom(64),
      ])
        await stranger.publish(channel, Buffer.from(raw));
    }
    for (const at of [0, 1])
      await eventually(SOON_MS, () => complaintsOf(nodes, at, '"strange-node-message"').length > 0);
    await expectUndisturbed();
    for (const at of [0, 1]) expect(complaintsOf(nodes, at, '"strange-node-message"')).toHaveLength(1);
  },
);

/** A server of its own, which has ended; its data folder. */
async function anotherServer(folder: string): Promise<string> {
  const data = join(folder, "other");
  await using other = start(["server", "--json", "--data", data, "--listen", "127.0.0.1:0"]);
  await other.waitFor("ready");
  other.signal("SIGTERM");
  await other.finished();
  return data;
}

nodesTest("bad input 188: a node with other keys is refused, and told what it needs", async () => {
  using folder = temporaryFolder();
  const data = await anotherServer(folder.path);
  const { exitCode, stdout, stderr } = await run([
    "server",
    "--data",
    data,
    "--listen",
    "127.0.0.1:0",
    ...nodes.stores,
  ]);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("cannot join the nodes that share this Redis: they have other keys, or another version");
  expect(stderr).toContain("p2p server key export FILE");
  await expectUndisturbed();
});

nodesTest("bad input 188: a node that has no keys yet makes none of its own beside accounts that exist", async () => {
  using folder = temporaryFolder();
  const line = ["server", "--data", join(folder.path, "fresh"), "--listen", "127.0.0.1:0", ...nodes.stores];
  const { exitCode, stdout, stderr } = await run(line);
  expect([exitCode, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("key import");
  await expectUndisturbed();
});

nodesTest(
  "bad input 183: a node whose Redis wants another password, or is not there, does not start, and says why",
  async () => {
    using folder = temporaryFolder();
    const data = await anotherServer(folder.path);
    const begin = (...flags: readonly string[]) => run(["server", "--data", data, "--listen", "127.0.0.1:0", ...flags]);
    const file = join(folder.path, "presence-url");
    await writeFile(file, `redis://ana:hunter2@127.0.0.1:${nodes.redis.process.port}\n`, { mode: 0o600 });
    const refused = await begin("--presence-file", file);
    expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain("refuses the user or password");
    expect(refused.stderr).not.toContain("hunter2");
    const nobody = await begin("--presence", "redis://127.0.0.1:1/");
    expect([nobody.exitCode, nobody.stdout]).toEqual([11, ""]);
    expect(nobody.stderr).toContain("Redis at 127.0.0.1:1 refuses connections");
  },
);
