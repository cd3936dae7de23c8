import { expect, setDefaultTimeout, test } from "bun:test";
import type { LimitReason } from "../../src/wire/session/limit-clock.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

/** Shares of the time since `before`, from 0 to 1. */
function shares(pair: SimPair, before: Readonly<Record<LimitReason, number>>, sinceMs: number) {
  const { limitTimes } = pair.a.session.stats(pair.a.now);
  const share = (reason: LimitReason) => (limitTimes[reason] - before[reason]) / (pair.a.now - sinceMs);
  return { ...limitTimes, share, network: share("window") + share("pacing") + share("buffer") };
}

function openPair(seed: number, link: typeof links.home): { pair: SimPair; read: () => ReturnType<typeof shares> } {
  const pair = new SimPair(new SimNetwork(seed));
  pair.open(pair.addRoute(link));
  const before = pair.a.session.stats(pair.a.now).limitTimes;
  const since = pair.a.now;
  return { pair, read: () => shares(pair, before, since) };
}

test("a reader that takes its time shows as credit at the sender", () => {
  const { pair, read } = openPair(1, { ...links.lan, jitterMs: 0 });
  const random = pair.network.random;
  pair.b.reads = false;
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), random.bytes(25_000_000));
  const sip = (): void => {
    const part = pair.b.session.read(transfer.stream);
    if (part !== null) {
      pair.b.inbox(transfer.stream).bytes += part.length;
      pair.b.do((session, now) => session.consumed(now, transfer.stream, part.length));
    }
    pair.network.in(20, sip);
  };
  sip();
  pair.network.runFor(3_000);
  expect(pair.a.session.stats().limit).toBe("credit");
  expect(read().share("credit")).toBeGreaterThan(0.8);
});

test("a source that gives little shows as the application", () => {
  const { pair, read } = openPair(2, links.home);
  const stream = pair.a.session.openStream("bulk");
  const drip = (): void => {
    pair.a.do((session, now) => session.write(now, stream, new Uint8Array(50_000)));
    pair.network.in(200, drip);
  };
  drip();
  pair.network.runFor(10_000);
  expect(read().share("application")).toBeGreaterThan(0.7);
});

test("a narrow link shows as window and pacing", () => {
  const { pair, read } = openPair(3, links.home);
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(10_000_000));
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 30_000, "the transfer");
  expect(read().network).toBeGreaterThan(0.9);
});

test("a server that may carry no streams shows as a path", () => {
  const pair = new SimPair(new SimNetwork(4), { session: { relayData: false } });
  const stream = pair.a.session.openStream("bulk");
  pair.a.do((session, now) => session.write(now, stream, new Uint8Array(1_000)));
  expect(pair.a.session.stats().limit).toBe("path");
});

test("statistics tell what was sent again, what was lost, and how often keys were made", () => {
  const pair = new SimPair(new SimNetwork(5), { limits: { rekeyAfterPackets: 200 } });
  pair.open(pair.addRoute({ ...links.home, loss: 0.05 }));
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(2_000_000));
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  const stats = pair.a.session.stats();
  expect(stats.lostPackets).toBeGreaterThan(40);
  expect(stats.lostPackets).toBeLessThan(stats.sentPackets / 5);
  expect(stats.spuriousPackets).toBeLessThanOrEqual(stats.lostPackets);
  expect(stats.repeatedBytes).toBeGreaterThan(40 * 1_000);
  expect(stats.repeatedBytes).toBeLessThan(stats.lostPackets * 1_472);
  expect(stats.epoch).toBeGreaterThan(5);
  expect(stats.openedPackets).toBeGreaterThan(100);
});

test("packets of a path that is gone stay in the sums", () => {
  const pair = new SimPair(new SimNetwork(6));
  const route = pair.addRoute(links.home);
  pair.open(route);
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(1_000_000));
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  const before = pair.a.session.stats().sentPackets;
  pair.a.do((session, now) => session.forget(now, route.fromA));
  expect(pair.a.session.stats().paths).toHaveLength(1);
  expect(pair.a.session.stats().sentPackets).toBeGreaterThanOrEqual(before);
  pair.setServer(false);
  expect(pair.a.session.stats().sentPackets).toBeGreaterThanOrEqual(before);
});
