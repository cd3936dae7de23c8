import { expect, setDefaultTimeout, test } from "bun:test";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { SimPair } from "./pair.ts";
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
