import { afterAll, expect, test } from "bun:test";
import { defaultLimits } from "../../src/modes/cli/limits.ts";
import { systemClock } from "../../src/modes/server/clock.ts";
import { GuessingGuard } from "../../src/modes/server/guessing.ts";
import { LegShaper } from "../../src/modes/server/leg-shaper.ts";
import { LimitKeys } from "../../src/modes/server/limit-keys.ts";
import { perHour, relayQuota } from "../../src/modes/server/limits.ts";
import { RingLimits } from "../../src/modes/server/ring-limits.ts";
import { SharedAddressBuckets, type SharedLimits } from "../../src/modes/server/shared-limits.ts";
import { openSharedStores } from "../../src/store/open.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { hasRedis, type RedisServer, startRedis } from "../support/redis.ts";
import { eventually } from "../support/within.ts";
import { notHere } from "./not-here.ts";
import { randomBytes } from "./samples.ts";

/** For what the nodes tell each other once a second. */
const TOLD_MS = 5_000;

if (hasRedis) {
  const redis = await startRedis();
  afterAll(() => redis[Symbol.asyncDispose]());
  overBoth(redis);
} else notHere("limits over two nodes", "no redis-server");

/** The limits of one node. */
interface Node {
  readonly guard: GuessingGuard;
  readonly rings: RingLimits;
  readonly signUps: SharedAddressBuckets;
  readonly shaper: LegShaper;
}

function nodeOver(shared: SharedLimits): Node {
  // 0.00864 GB a day come back at 100 bytes a second.
  const limits = { ...defaultLimits, "limit-relay-rate": 0, "limit-relay-daily": 0.00864 };
  const raise = (error: unknown) => {
    throw error;
  };
  return {
    guard: new GuessingGuard(shared),
    rings: new RingLimits(shared.buckets),
    signUps: new SharedAddressBuckets(shared, "registrations", perHour(10)),
    shaper: new LegShaper(relayQuota(limits), { clock: systemClock(raise), shared, onTrouble: raise }),
  };
}

async function twoNodes(url: string) {
  const stack = new AsyncDisposableStack();
  const server = new KeyPair(new Uint8Array(32).fill(7));
  const nodes: Node[] = [];
  for (let count = 0; count < 2; count++) {
    const { buckets, attempts } = stack.use(await openSharedStores(url));
    nodes.push(nodeOver({ buckets, attempts, names: new LimitKeys(server) }));
  }
  const [here, there] = nodes;
  if (here === undefined || there === undefined) throw new Error("two nodes were to be opened");
  return { here, there, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const ana = { name: "ana-of-the-test", deviceKey: "stranger", ip: "198.51.100.77" };

/** Each tried so often on each of the nodes, all at once. @returns how many were let through */
async function passed(nodes: readonly Node[], times: number) {
  const [asker, asked] = [randomBytes(16), randomBytes(16)];
  const turns = Array.from({ length: times }, () => nodes).flat();
  const count = (attempts: readonly Promise<unknown>[]) =>
    Promise.allSettled(attempts).then((ends) => ends.filter(({ status }) => status === "fulfilled").length);
  return {
    guesses: await count(turns.map(({ guard }) => guard.begin(ana))),
    rings: await count(turns.map(({ rings }) => rings.take(asker, asked, 1))),
    waits: (await Promise.all(turns.map(({ signUps }) => signUps.take(ana.ip)))).filter((waitMs) => waitMs > 0).length,
  };
}

/** Of so many bytes, in pieces of 100 kB. @returns those that went through at once */
function relay({ shaper }: Node, account: string, bytes: number) {
  let passedBytes = 0;
  const leg = shaper.open(account, { pass: (packets) => void (passedBytes += packets.length), slowed: () => {} });
  for (let sent = 0; sent < bytes; sent += 100_000) leg.push(new Uint8Array(100_000));
  return { passedBytes, leg };
}

function overBoth(redis: RedisServer): void {
  test("bad inputs 61, 69 and 88: guesses, registrations and rings are counted over two nodes, and Redis holds nobody's name", async () => {
    await using nodes = await twoNodes(redis.freshUrl());
    const { here, there } = nodes;
    expect(await passed([here, there], 15)).toEqual({ guesses: 5, rings: 10, waits: 20 });
    const keys = redis.tell("keys", "*");
    expect(keys).toMatch(/:attempts:account:[0-9a-f]{32}$/m);
    expect(keys).toMatch(/:bucket:registrations:[0-9a-f]{32}$/m);
    expect(keys).not.toContain(ana.name);
    expect(keys).not.toContain(ana.ip);
  });

  test("bad input 105: a day's volume used on one node is used on the other, and after a restart", async () => {
    const url = redis.freshUrl();
    await using nodes = await twoNodes(url);
    const before = relay(nodes.here, "ana", 8_700_000);
    expect(before.passedBytes).toBeWithin(8_600_000, 8_800_000);
    before.leg.close();
    await eventually(TOLD_MS, () => isSpent(nodes.there));
    await using later = await twoNodes(url);
    await eventually(TOLD_MS, () => isSpent(later.here));
  });

  test("bad input 183: while Redis is away each node counts by itself", async () => {
    await using nodes = await twoNodes(redis.freshUrl());
    const { here, there } = nodes;
    await redis.process.stop();
    try {
      const alone = { guesses: 5, rings: 10, waits: 2 };
      expect([await passed([here], 12), await passed([there], 12)]).toEqual([alone, alone]);
      expect(relay(here, "ana", 8_700_000).passedBytes).toBeWithin(8_600_000, 8_800_000);
      expect(relay(here, "ana", 100_000).passedBytes).toBe(0);
    } finally {
      await redis.process.start();
    }
  });
}

/** Opens a leg, so that it hears what was used, and sends. */
async function isSpent(node: Node): Promise<boolean> {
  const first = relay(node, "ana", 0);
  await Bun.sleep(50);
  const second = relay(node, "ana", 100_000);
  for (const { leg } of [first, second]) leg.close();
  return second.passedBytes === 0;
}
