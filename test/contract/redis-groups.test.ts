import { afterAll, expect, test } from "bun:test";
import { openSharedStores } from "../../src/store/open.ts";
import type { PresenceEntry } from "../../src/store/presence.ts";
import type { SharedStores } from "../../src/store/shared.ts";
import { startRedisCluster, startRedisSentinel } from "../support/redis-groups.ts";
import { hasRedis } from "../support/redis.ts";
import { eventually } from "../support/within.ts";
import { listen } from "./bus.ts";
import { notHere } from "./not-here.ts";
import { channel, NOW_MS } from "./samples.ts";

/** To find out that a server is gone, to choose another, and to look for it. */
const FOUND_MS = 10_000;

if (hasRedis) {
  whereOneTakesOver();
  await whereEachHasItsShare();
} else notHere("Redis Cluster and Sentinel in trouble", "no redis-server");
notHere("a replica takes over in a Redis Cluster", "three masters of one machine are all there is");

function whereOneTakesOver(): void {
  test("a master that dies is replaced by its replica, and the node's people are there as before", async () => {
    await using redis = await startRedisSentinel();
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using there = await openSharedStores(url);
    const [ana, ben] = [channel("ana"), channel("ben")] as const;
    await here.presence.renewNode("node-a", NOW_MS);
    await here.presence.add(ana);
    await redis.servers[0]?.stop();
    await here.presence.add(ben);
    expect(await here.presence.entriesOf(ben.userId)).toEqual([ben]);
    await eventually(FOUND_MS, async () => {
      await renew(here, [ana, ben]); // what had not reached the replica yet
      return (await namesAt(there)) === "ana ben";
    });
    await expectBus(here, there);
  });
}

async function whereEachHasItsShare(): Promise<void> {
  const redis = await startRedisCluster();
  afterAll(() => redis[Symbol.asyncDispose]());

  test("a Cluster's server under a plain address is refused, with the address to write", async () => {
    const [first] = redis.servers;
    const wrong = [0, 1, 2].map((at) => `redis://127.0.0.1:${redis.servers[at]?.port ?? first?.port}`);
    const errors = await Promise.all(wrong.map((url) => openSharedStores(url).catch((reason: unknown) => reason)));
    const refused = errors.filter((error) => error instanceof Error);
    expect(refused).toHaveLength(2);
    for (const error of refused)
      expect(error).toMatchObject({ code: "config", hint: "write redis+cluster://HOST:PORT,HOST:PORT" });
    for (const error of errors) if (!(error instanceof Error)) await (error as SharedStores)[Symbol.asyncDispose]();
  });

  test("one server of a Cluster that stops and comes back is used again, whichever share it has", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using there = await openSharedStores(url);
    for (const [index, server] of redis.servers.entries()) {
      await server.stop();
      const guest = channel(`guest${index}`);
      await here.presence.add(guest);
      expect(await here.presence.entriesOf(guest.userId)).toEqual([guest]);
      await server.start();
      await here.presence.renewNode("node-a", NOW_MS);
      for (const each of await here.presence.online({ limit: 10 })) expect(each.name).toStartWith("guest");
      await eventually(FOUND_MS, async () => (await namesAt(there)).includes(guest.name));
      await expectBus(here, there);
    }
  });
}

/** As a node does every few seconds. */
async function renew({ presence }: SharedStores, own: readonly PresenceEntry[]): Promise<void> {
  if (!(await presence.renewNode("node-a", NOW_MS))) for (const each of own) await presence.add(each);
}

async function expectBus(here: SharedStores, there: SharedStores): Promise<void> {
  for (const nodeId of ["node-1", "node-2", "node-3", "node-4"]) {
    const ear = await listen(there.bus, nodeId);
    await eventually(FOUND_MS, async () => (await here.bus.publish(nodeId, Uint8Array.of(1))) === "heard");
    expect(await ear.until(1)).toEqual([Uint8Array.of(1)]);
    ear.stop();
  }
}

async function namesAt({ presence }: SharedStores): Promise<string> {
  return (await presence.online({ limit: 10 })).map(({ name }) => name).join(" ");
}
