import { expect, setDefaultTimeout, test } from "bun:test";
import { epochAt } from "../../src/wire/packet/header.ts";
import { sessionLimits } from "../../src/wire/session/session-limits.ts";
import type { SimEnd } from "./end.ts";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { seeds } from "./seeds.ts";
import { longestStall, Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const NEVER = sessionLimits.rekeyAfterPackets;

function transferred(seed: number, link: LinkOptions, bytes: number, rekeyAfterPackets: number) {
  const pair = new SimPair(new SimNetwork(seed), { limits: { rekeyAfterPackets } });
  pair.open(pair.addRoute(link));
  const since = pair.network.now;
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), new Uint8Array(bytes));
  const stallMs = longestStall(pair.network, pair.b, transfer.stream, 60_000);
  return { stallMs, ms: pair.network.now - since, epochs: pair.a.session.stats().epoch };
}

test("new keys all the time cost no stall and no speed", () => {
  for (const [link, bytes, leastEpochs] of [
    [links.home, 2_000_000, 8],
    [{ ...links.home, loss: 0.02 }, 2_000_000, 8],
    [{ delayMs: 25, rate: 25_000, queueBytes: 1_250_000 }, 12_000_000, 8],
    [links.lan, 4_000_000, 20],
  ] as const)
    for (const seed of [1, 2, 3]) {
      const calm = transferred(seed, link, bytes, NEVER);
      const busy = transferred(seed, link, bytes, 16 + 24 * (seed - 1));
      expect([calm.epochs, busy.epochs >= leastEpochs]).toEqual([0, true]);
      expect(busy.ms).toBeLessThan(calm.ms * 1.15 + 10);
      expect(busy.stallMs).toBeLessThan(calm.stallMs + 3 * link.delayMs + 20);
    }
});

/** Fills `epochs` with that of each packet the end sends, in order. */
function watchEpochs(end: SimEnd, epochs: number[]): void {
  end.tap = (bytes) => {
    epochs.push(epochAt(bytes, 0));
    return bytes;
  };
}

for (const seed of seeds(20))
  test(`nothing is sealed under old keys once new ones are in use, whatever is lost: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const pair = new SimPair(network);
    pair.open(pair.addRoute({ ...links.home, loss: 0.1, reorder: 0.1 }), 1, 60_000);
    const [ofA, ofB]: [number[], number[]] = [[], []];
    watchEpochs(pair.a, ofA);
    watchEpochs(pair.b, ofB);
    const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(2_000_000));
    network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
    for (const epochs of [ofA, ofB]) {
      const steps = epochs.slice(1).map((epoch, index) => (epoch - (epochs[index] ?? 0) + 16) % 16);
      expect(Math.max(...steps)).toBe(1);
      expect(steps.filter((step) => step === 1).length).toBeGreaterThan(1);
    }
    expect(Math.abs(pair.a.session.stats().epoch - pair.b.session.stats().epoch)).toBeLessThanOrEqual(1);
  });

test("an idle session makes new keys every two minutes, and nothing else", () => {
  const pair = new SimPair(new SimNetwork(1), { limits: { rekeyAfterPackets: NEVER } });
  pair.network.runFor(119_000);
  expect(pair.a.session.stats().epoch).toBe(0);
  pair.network.runFor(3_000);
  expect([pair.a, pair.b].map((end) => end.session.stats().epoch)).toEqual([1, 1]);
  const before = pair.a.session.stats().sentPackets;
  pair.network.runFor(600_000);
  expect([pair.a, pair.b].map((end) => end.session.stats().epoch)).toEqual([6, 6]);
  // Question, answer, and what confirms them.
  expect(pair.a.session.stats().sentPackets - before).toBeLessThan(5 * 6);
});

test("keys that are due while no path is there are made when one is, and what waited goes on", () => {
  const pair = new SimPair(new SimNetwork(2), { limits: { rekeyAfterPackets: NEVER } });
  pair.network.runFor(1_000);
  pair.setServer(false);
  pair.network.runFor(30 * 60_000);
  const line = new Transfer(pair.b, 2, pair.network.random.bytes(500), false);
  pair.network.runFor(1_000);
  expect(pair.a.session.stats().epoch).toBe(0);
  pair.setServer(true);
  pair.network.runUntil(() => line.hasArrived(pair.a), 2_000, "the line");
  expect(pair.b.session.stats().epoch).toBeGreaterThan(0);
});
