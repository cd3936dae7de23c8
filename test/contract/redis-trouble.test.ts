import { afterAll, expect, test } from "bun:test";
import { openSharedStores } from "../../src/store/open.ts";
import { RedisLink } from "../../src/store/redis/link.ts";
import { NewsReader } from "../../src/store/redis/news-reader.ts";
import { presenceKeys } from "../../src/store/redis/scripts.ts";
import { parseRedisUrl } from "../../src/store/redis/url.ts";
import type { SharedStores } from "../../src/store/shared.ts";
import type { StoreTrouble } from "../../src/store/trouble.ts";
import { freePort } from "../support/database-process.ts";
import { RedisProxy } from "../support/redis-proxy.ts";
import { freshPrefix, hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { eventually, within } from "../support/within.ts";
import { listen } from "./bus.ts";
import { notHere } from "./not-here.ts";
import { channel, NOW_MS, randomBytes } from "./samples.ts";

/** How long any call may take, whatever became of Redis. */
const CALL_MS = 1_000;
/** Until all is as before, once Redis is back. */
const BACK_MS = 5_000;
const slow = { perSecond: 0.001, burst: 3 };
const strict = { free: 2, firstDelayMs: 60_000, maxDelayMs: 60_000, forgottenAfterMs: 3_600_000 };

if (hasRedis) {
  const redis = await startRedis();
  const proxy = await RedisProxy.start(redis.process.port);
  const { process } = redis;
  const bring = (state: RedisProxy["answers"]) => async () => {
    proxy.answers = state;
  };
  const passes = bring("whole");

  goesOn(
    proxy,
    "refuses",
    () => process.stop(),
    () => process.start(),
  );
  goesOn(
    proxy,
    "is silent",
    () => process.freeze(),
    async () => process.thaw(),
  );
  goesOn(proxy, "answers 5 s late", bring("late"), passes);
  goesOn(proxy, "answers garbage", bring("garbage"), passes);
  goesOn(proxy, "tells news of nothing", bring("nothing"), passes);
  goesOn(proxy, "drops in the middle of an answer", bring("half"), passes);
  goesOn(
    proxy,
    "is full",
    async () => void redis.tell("config", "set", "maxmemory", "1"),
    async () => void redis.tell("config", "set", "maxmemory", "0"),
  );
  goesOn(
    proxy,
    "becomes a replica",
    async () => void redis.tell("replicaof", "127.0.0.1", `${await freePort()}`),
    async () => void redis.tell("replicaof", "no", "one"),
  );
  goesOn(
    proxy,
    "begins to ask for a password",
    async () => {
      redis.tell("config", "set", "requirepass", "hunter2");
      redis.tell("-a", "hunter2", "client", "kill", "type", "normal", "skipme", "yes");
      redis.tell("-a", "hunter2", "client", "kill", "type", "pubsub");
    },
    async () => void redis.tell("-a", "hunter2", "config", "set", "requirepass", ""),
  );
  losesData(redis);
  refusesToOpen(redis);
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });
} else notHere("SharedStores on Redis in trouble", "no redis-server");

function goesOn(proxy: RedisProxy, state: string, begin: () => Promise<void>, end: () => Promise<void>): void {
  test(`bad input 183: Redis ${state}: calls end within a second, the node goes on alone, tells it once and comes back`, async () => {
    const url = `redis://127.0.0.1:${proxy.port}/?prefix=${freshPrefix()}`;
    const told: StoreTrouble[] = [];
    await using here = await openSharedStores(url, { onTrouble: (trouble) => told.push(trouble) });
    await using there = await openSharedStores(url);
    const [ana, ben] = [channel("ana"), channel("ben")] as const;
    await here.presence.renewNode("node-a", NOW_MS);
    await here.presence.add(ana);
    const changes: string[] = [];
    here.presence.subscribe((batch) => changes.push(...batch.map(({ name, online }) => `${name} ${online}`)));
    await begin();
    try {
      await within(CALL_MS, here.presence.add(ben));
      await within(CALL_MS, here.presence.remove(ana.deviceId, ana.connectionId));
      await expectAlone(here, ben);
      await eventually(CALL_MS, () => changes.includes("ben true"));
      expect(told.map(({ event }) => event)).toEqual(["presence-away"]);
      expect(Bun.inspect(told)).not.toContain("hunter2");
    } finally {
      await end();
    }
    await eventually(BACK_MS, async () => (await namesAt(there)) === "ben");
    await eventually(BACK_MS, async () => (await namesAt(here)) === "ben");
    await eventually(BACK_MS, () => told.length === 2);
    expect(told.map(({ event }) => event)).toEqual(["presence-away", "presence-back"]);
    await expectBus(here, there);
  });
}

/** Presence, bus, limits and attempts of one node that has nobody to share them with. */
async function expectAlone(here: SharedStores, ben: ReturnType<typeof channel>): Promise<void> {
  const { presence, bus, buckets, attempts } = here;
  expect(await within(CALL_MS, presence.entriesOf(ben.userId))).toEqual([ben]);
  expect(await within(CALL_MS, presence.isOnline(ben.userId))).toBe(true);
  expect((await within(CALL_MS, presence.online({ limit: 10 }))).map(({ name }) => name)).toContain("ben");
  expect(await within(CALL_MS, presence.renewNode("node-a", NOW_MS))).toBe(true);
  await within(CALL_MS, presence.sweep(NOW_MS - 1));
  expect(await within(CALL_MS, presence.timeMs(NOW_MS))).toBeGreaterThan(0);
  await within(CALL_MS, presence.nodes());
  expect(["away", "nobody"]).toContain(await within(CALL_MS, bus.publish("nobody", randomBytes(8)))); // a full Redis still publishes
  const waits: number[] = [];
  for (let count = 0; count < 4; count++) waits.push(await within(CALL_MS, buckets.take("ana", slow)));
  expect(waits.slice(0, 3)).toEqual([0, 0, 0]);
  expect(waits[3]).toBeGreaterThan(0);
  expect(await within(CALL_MS, buckets.spend("ana", slow, 100))).toBeWithin(-100, -99);
  for (const count of [0, 1, 2]) expect((await within(CALL_MS, attempts.begin("ana", strict))) === 0).toBe(count < 2);
  await within(CALL_MS, attempts.clear("ana"));
  expect(await within(CALL_MS, attempts.begin("ana", strict))).toBe(0);
}

async function expectBus(here: SharedStores, there: SharedStores): Promise<void> {
  const [hereEar, thereEar] = [await listen(here.bus, "node-a"), await listen(there.bus, "node-b")] as const;
  await eventually(BACK_MS, async () => (await here.bus.publish("node-b", Uint8Array.of(1))) === "heard");
  await eventually(BACK_MS, async () => (await there.bus.publish("node-a", Uint8Array.of(2))) === "heard");
  expect(await thereEar.until(1)).toEqual([Uint8Array.of(1)]);
  expect(await hereEar.until(1)).toEqual([Uint8Array.of(2)]);
}

function losesData(redis: RedisServer): void {
  test("bad input 184: a Redis that is flushed is filled again by the nodes, and nobody hears that people left", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using there = await openSharedStores(url);
    const changes: string[] = [];
    there.presence.subscribe((batch) => changes.push(...batch.map(({ name, online }) => `${name} ${online}`)));
    const people = [channel("ana"), channel("ben")];
    await here.presence.renewNode("node-a", NOW_MS);
    for (const each of people) await here.presence.add(each);
    await eventually(BACK_MS, () => changes.length === 2);
    redis.tell("flushall");
    expect(await namesAt(there)).toBe("");
    expect(await here.presence.renewNode("node-a", NOW_MS)).toBe(false);
    for (const each of people) await here.presence.add(each);
    expect(await namesAt(there)).toBe("ana ben");
    const cyd = channel("cyd");
    await here.presence.add(cyd);
    await eventually(BACK_MS, () => changes.length === 3);
    expect(changes).toEqual(["ana true", "ben true", "cyd true"]);
    expect(await here.presence.renewNode("node-a", NOW_MS)).toBe(true);
  });

  test("bad input 184: who does not come back after a flush is gone after a lease's time", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    const [ana, ben] = [channel("ana"), channel("ben")] as const;
    for (const each of [ana, ben]) await here.presence.add(each);
    await using reader = await openReader(url);
    redis.tell("flushall");
    await here.presence.add(ben);
    for (const now of [0, 9_999]) {
      reader.now = now;
      await reader.news.check(false);
    }
    expect(reader.online()).toBe("ana ben");
    reader.now = 10_000;
    await reader.news.check(false);
    expect(reader.online()).toBe("ben");
  });

  test("news that never came are made good with the second look", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using reader = await openReader(url);
    await here.presence.add(channel("ana"));
    await reader.news.check(false);
    expect(reader.online()).toBe("");
    await reader.news.check(false);
    expect(reader.online()).toBe("ana");
  });

  test("bad inputs 183 and 184: an emptied Redis that takes nothing hides nobody from the people of the same node", async () => {
    await using here = await openSharedStores(redis.freshUrl());
    const [ana, ben] = [channel("ana"), channel("ben")] as const;
    await here.presence.renewNode("node-a", NOW_MS);
    for (const each of [ana, ben]) await here.presence.add(each);
    redis.tell("flushall");
    redis.tell("config", "set", "maxmemory", "1");
    try {
      await here.presence.renewNode("node-a", NOW_MS);
      expect(await here.presence.entriesOf(ana.userId)).toEqual([ana]);
      expect(await here.presence.isOnline(ben.userId)).toBe(true);
      expect(await namesAt(here)).toBe("ana ben");
      await here.presence.remove(ana.deviceId, ana.connectionId);
      expect(await here.presence.isOnline(ana.userId)).toBe(false);
      expect(await namesAt(here)).toBe("ben");
    } finally {
      redis.tell("config", "set", "maxmemory", "0");
    }
    expect(await here.presence.renewNode("node-a", NOW_MS)).toBe(false);
    await here.presence.add(ben);
    await eventually(BACK_MS, async () => (await namesAt(here)) === "ben");
  });

  test("bad input 184: subscriptions, limits and attempts work on after a flush", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using there = await openSharedStores(url);
    for (let count = 0; count < 3; count++) expect(await here.buckets.take("ana", slow)).toBe(0);
    for (let count = 0; count < 2; count++) expect(await here.attempts.begin("ana", strict)).toBe(0);
    redis.tell("flushall");
    redis.tell("script", "flush");
    expect(await there.buckets.take("ana", slow)).toBe(0);
    expect(await there.attempts.begin("ana", strict)).toBe(0);
    await expectBus(here, there);
  });

  test("what Redis lost of a node's people, and what it kept of those gone, is mended with the next renewal", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using there = await openSharedStores(url);
    const [ana, ben] = [channel("ana"), channel("ben")] as const;
    await here.presence.renewNode("node-a", NOW_MS);
    await here.presence.add(ana);
    await there.presence.remove(ana.deviceId, ana.connectionId);
    await there.presence.add(ben);
    await there.presence.add(channel("cyd"));
    expect(await namesAt(there)).toBe("ben cyd");
    expect(await here.presence.renewNode("node-a", NOW_MS)).toBe(true);
    expect(await namesAt(there)).toBe("ana");
  });

  test("a node whose subscription was cut reads what it missed", async () => {
    const url = redis.freshUrl();
    await using here = await openSharedStores(url);
    await using there = await openSharedStores(url);
    const changes: string[] = [];
    there.presence.subscribe((batch) => changes.push(...batch.map(({ name, online }) => `${name} ${online}`)));
    redis.tell("client", "kill", "type", "pubsub");
    await here.presence.add(channel("ana"));
    await eventually(BACK_MS, () => changes.length === 1);
    expect(changes).toEqual(["ana true"]);
    await expectBus(here, there);
  });

  test("bad input 187: what others publish as news or messages is dropped", async () => {
    const prefix = freshPrefix();
    const url = `redis://127.0.0.1:${redis.process.port}/?prefix=${prefix}`;
    await using here = await openSharedStores(url);
    const changes: unknown[] = [];
    here.presence.subscribe((batch) => changes.push(...batch));
    const ear = await listen(here.bus, "node-a");
    const foreign = [
      "",
      "null",
      "[]",
      '["1",2,[["zz","ana",true]]]',
      '["1","2",[]]',
      '{"a":1}',
      "[".repeat(5_000),
      "\u0001\u0002",
    ];
    for (const text of foreign) {
      redis.tell("publish", `{${prefix}}:news`, text);
      redis.tell("publish", `${prefix}:bus:node-a`, text);
    }
    await here.bus.publish("node-a", Uint8Array.of(1));
    const ana = channel("ana");
    await here.presence.add(ana);
    await eventually(BACK_MS, () => changes.length > 0);
    expect(changes).toEqual([{ userId: ana.userId, name: "ana", online: true }]);
    expect((await ear.until(1)).filter(({ length }) => length > 0)).toEqual([Uint8Array.of(1)]);
  });
}

/** A node that hears no publications, at a time of the test's choice. */
interface Reader extends AsyncDisposable {
  now: number;
  readonly news: NewsReader;
  readonly online: () => string;
}

async function openReader(url: string): Promise<Reader> {
  const target = parseRedisUrl(url);
  const link = await RedisLink.open(target, () => {});
  const reader: Reader = {
    now: 0,
    news: new NewsReader(link, presenceKeys(target.prefix), () => reader.now),
    online: () => reader.news.view.names().toSorted().join(" "),
    [Symbol.asyncDispose]: () => link[Symbol.asyncDispose](),
  };
  await reader.news.readAll();
  return reader;
}

function refusesToOpen(redis: RedisServer): void {
  const port = redis.process.port;

  test("openSharedStores() of a Redis that is down, or no Redis at all, says so in time", async () => {
    const nobody = `redis://ana:hunter2@127.0.0.1:${await freePort()}`;
    const error = await within(
      3_000,
      openSharedStores(nobody).catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: "busy", message: expect.stringContaining("refuses connections") });
    expect(Bun.inspect(error)).not.toContain("hunter2");
  });

  test("bad input 183: a Redis that is silent from the first is told in time", async () => {
    await redis.process.freeze();
    try {
      const error = await within(
        3_000,
        openSharedStores(redis.freshUrl()).catch((reason: unknown) => reason),
      );
      expect(error).toMatchObject({ code: "busy", message: expect.stringContaining("does not answer") });
    } finally {
      redis.process.thaw();
    }
  });

  test("bad input 183: a password that is wrong, missing or needless is told, and never repeated", async () => {
    const asksNot = await openSharedStores(`redis://ana:hunter2@127.0.0.1:${port}`).catch((reason: unknown) => reason);
    expect(asksNot).toMatchObject({ code: "config", message: expect.stringContaining("refuses the user or password") });
    redis.tell("config", "set", "requirepass", "open sesame");
    const none = await openSharedStores(redis.freshUrl()).catch((reason: unknown) => reason);
    const wrong = await openSharedStores(`redis://:hunter2@127.0.0.1:${port}`).catch((reason: unknown) => reason);
    const right = await openSharedStores(`redis://:open%20sesame@127.0.0.1:${port}`).catch((reason: unknown) => reason);
    redis.tell("-a", "open sesame", "config", "set", "requirepass", "");
    expect(none).toMatchObject({ code: "config", message: expect.stringContaining("asks for a password") });
    expect(wrong).toMatchObject({ code: "config", message: expect.stringContaining("refuses the user or password") });
    expect(Bun.inspect([asksNot, none, wrong])).not.toMatch(/hunter2|sesame/);
    expect(right).not.toBeInstanceOf(Error);
    await (right as SharedStores)[Symbol.asyncDispose]();
  });

  test("bad input 183: a replica is refused, with what it should be", async () => {
    redis.tell("replicaof", "127.0.0.1", `${await freePort()}`);
    const error = await openSharedStores(redis.freshUrl()).catch((reason: unknown) => reason);
    redis.tell("replicaof", "no", "one");
    expect(error).toMatchObject({ code: "busy", hint: "the server must be one that takes writes" });
  });
}

async function namesAt({ presence }: SharedStores): Promise<string> {
  return (await presence.online({ limit: 10 })).map(({ name }) => name).join(" ");
}
