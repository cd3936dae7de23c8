import { expect, setDefaultTimeout, test } from "bun:test";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { SimPair, type SimRoute } from "./pair.ts";
import { quickRekeys } from "./quick-rekeys.ts";
import type { Seeded } from "./seeded.ts";
import { seeds } from "./seeds.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const OUTAGE_MS = 60_000;
/** The weather changes so often. Milliseconds. */
const SPELL_MS = 3_000;

/** Up to 30 % loss, overtaking, doubling, and a rate, a queue and a length of packets of its own. */
function spell(random: Seeded): LinkOptions {
  const rate = 100 * 10 ** (2 * random.fraction());
  return {
    delayMs: 1 + random.fraction() * 80,
    jitterMs: random.fraction() * 20,
    loss: random.chance(0.5) ? 0 : random.fraction() * 0.3,
    duplicate: random.fraction() * 0.05,
    reorder: random.fraction() * 0.05,
    rate,
    queueBytes: Math.max(20_000, rate * random.fraction() * 200),
    mtu: random.between(1_200, 1_472),
  };
}

/** Changes both directions every few seconds, with one outage of both. */
function weather(network: SimNetwork, { aToB, bToA }: SimRoute): void {
  const random = network.random.fork();
  const change = (): void => {
    aToB.options = spell(random);
    bToA.options = spell(random);
    network.in(SPELL_MS * (0.5 + random.fraction()), change);
  };
  network.in(SPELL_MS * random.fraction(), change);
  const outageAt = SPELL_MS * (0.2 + 2 * random.fraction());
  const setDown = (isDown: boolean) => () => void (aToB.isDown = bToA.isDown = isDown);
  network.in(outageAt, setDown(true));
  network.in(outageAt + OUTAGE_MS, setDown(false));
}

for (const seed of seeds())
  test(`streams survive changes of rate, loss and packet length, an outage of a minute and new keys: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { server: null, limits: quickRekeys(random) });
    const route = pair.addRoute({ delayMs: 20, rate: 200 });
    pair.open(route);
    weather(network, route);
    // Whoever uses the session goes on asking for paths.
    const probe = (): void => {
      pair.a.do((session, now) => session.probe(now, route.fromA, 1));
      pair.b.do((session, now) => session.probe(now, route.fromB, 1));
      network.in(1_000, probe);
    };
    probe();
    const transfers = [pair.a, pair.b].map((end) => {
      const bulk = new Transfer(end, end.session.openStream("bulk"), random.bytes(random.between(200_000, 1_000_000)));
      const chat = new Transfer(end, 2, random.bytes(random.between(1, 3_000)), false);
      return { to: end === pair.a ? pair.b : pair.a, bulk, chat };
    });
    const isDone = () =>
      transfers.every(
        ({ to, bulk, chat }) => bulk.hasArrived(to) && chat.hasArrived(to) && to.inbox(bulk.stream).isFinished,
      );
    network.runUntil(isDone, 10 * OUTAGE_MS, "all of it");
    for (const { to, bulk } of transfers) expect(to.inbox(bulk.stream).bytes).toBe(bulk.content.length);
    expect(pair.a.has("closed") || pair.b.has("closed")).toBe(false);
    expect(pair.a.session.stats().epoch).toBeGreaterThan(0);
    // Nothing that was done with is held on to.
    network.runFor(2 * OUTAGE_MS);
    for (const { to, bulk } of transfers) {
      const from = to === pair.a ? pair.b : pair.a;
      expect(from.session.bufferedBytes(bulk.stream)).toBe(0);
    }
    const inFlight = [pair.a, pair.b].flatMap(({ session }) => session.stats().paths.map((path) => path.bytesInFlight));
    expect(Math.max(...inFlight)).toBeLessThan(20_000);
  });
