import { heapStats } from "bun:jsc";
import { expect, setDefaultTimeout, test } from "bun:test";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { quickRekeys } from "./quick-rekeys.ts";
import type { Seeded } from "./seeded.ts";
import { seeds } from "./seeds.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

/** Up to 30 % loss, overtaking, doubling, and a rate; each direction by itself. */
function badLink(random: Seeded): LinkOptions {
  return {
    delayMs: 1 + random.fraction() * 80,
    jitterMs: random.fraction() * 40,
    loss: random.fraction() * 0.3,
    duplicate: random.fraction() * 0.1,
    reorder: random.fraction() * 0.1,
    rate: 200 + random.fraction() * 2_000,
    queueBytes: random.between(20_000, 200_000),
  };
}

/** Ten rounds of 50 streams each way, some finished, some reset, some stopped; all of them gone in the end. */
function manyStreams(pair: SimPair): void {
  const { network } = pair;
  for (let round = 0; round < 10; round++) {
    for (const end of [pair.a, pair.b])
      for (let count = 0; count < 50; count++) {
        const stream = end.session.openStream("bulk");
        end.do((session, now) => session.write(now, stream, new Uint8Array(300)));
        if (count % 5 === 0) network.in(30, () => end.do((session, now) => session.reset(now, stream, 3)));
        else end.do((session, now) => session.finish(now, stream));
      }
    network.runFor(1_000);
  }
  for (const end of [pair.a, pair.b]) {
    end.events.length = 0;
    end.inboxes.clear();
  }
}

test("thousands of streams over a session's life leave nothing behind", () => {
  const pair = new SimPair(new SimNetwork(1));
  pair.open(pair.addRoute({ ...links.home, loss: 0.02 }));
  for (const end of [pair.a, pair.b]) {
    const other = end === pair.a ? 1 : 0;
    end.onEvent = (event) => {
      if (event.kind !== "stream-opened") return;
      if (event.stream % 7 === other) end.do((session, now) => session.stop(now, event.stream, 4));
      end.do((session, now) => session.finish(now, event.stream));
    };
  }
  const objects = (): number => {
    manyStreams(pair);
    Bun.gc(true);
    return heapStats().objectCount;
  };
  objects();
  const before = objects();
  for (let round = 0; round < 4; round++) manyStreams(pair);
  // 4 000 streams have 8 000 halves.
  expect(objects() - before).toBeLessThan(2_000);
  expect([pair.a.has("closed"), pair.b.has("closed")]).toEqual([false, false]);
  const last = pair.a.session.openStream("bulk");
  expect(last).toBeGreaterThan(8 * 3_000);
  const line = new Transfer(pair.a, last, new Uint8Array(500));
  pair.network.runUntil(() => line.hasArrived(pair.b), 2_000, "one more");
});

for (const seed of seeds()) {
  test(`streams arrive whole, both ways, over a bad network: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { limits: quickRekeys(random) });
    pair.open(pair.addRoute(badLink(random), badLink(random)), 1, 60_000);
    if (random.chance(0.5)) pair.setServer(false);
    const arrivals: (() => boolean)[] = [];
    for (const [from, to] of [
      [pair.a, pair.b],
      [pair.b, pair.a],
    ] as const) {
      for (const stream of [0, 2]) {
        const transfer = new Transfer(from, stream, random.bytes(random.between(0, 3_000)), false);
        arrivals.push(() => transfer.hasArrived(to));
      }
      for (let count = random.between(1, 4); count > 0; count--) {
        const transfer = new Transfer(from, from.session.openStream("bulk"), random.bytes(random.between(0, 150_000)));
        arrivals.push(() => transfer.hasArrived(to) && to.inbox(transfer.stream).isFinished);
      }
    }
    network.runUntil(() => arrivals.every((hasArrived) => hasArrived()), 600_000, "all of it");
    expect(pair.a.has("closed") || pair.b.has("closed")).toBe(false);
    expect(pair.a.session.stats().epoch).toBeGreaterThan(0);
    expect(pair.a.session.stats().forgedPackets + pair.b.session.stats().foreignPackets).toBe(0);
  });
}
