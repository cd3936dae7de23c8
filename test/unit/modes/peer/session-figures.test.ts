import { expect, test } from "bun:test";
import { figuresOf, RateMeter, statsFields } from "../../../../src/modes/peer/session-figures.ts";
import { SimNetwork } from "../../../sim/network.ts";
import { links, SimPair } from "../../../sim/pair.ts";
import { Transfer } from "../../../sim/transfer.ts";

test("figures are those of the path in use and of the whole session", () => {
  const pair = new SimPair(new SimNetwork(1));
  pair.open(pair.addRoute(links.home));
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(3_000_000));
  const meter = new RateMeter(pair.a.now, figuresOf(pair.a.session.stats(pair.a.now)));
  const startedAtMs = pair.a.now;
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 20_000, "the transfer");
  const figures = figuresOf(pair.a.session.stats(pair.a.now));
  const rates = meter.take(pair.a.now, figures);
  expect(figures.minRttMs).toBeWithin(40, 60);
  expect(figures.mtuBytes).toBeGreaterThanOrEqual(1_200);
  expect(figures.sentBytes).toBeGreaterThan(3_000_000);
  const seconds = (pair.a.now - startedAtMs) / 1_000;
  expect(rates.sendBytesPerSecond * seconds).toBeWithin(3_000_000, 3_600_000);
  expect(["window", "pacing"]).toContain(rates.limitedBy);
  expect(figures.rekeys).toBe(pair.a.session.stats().epoch);
  expect(statsFields(figures, rates)).toMatchObject({
    packetsSent: figures.sentPackets,
    rekeys: figures.rekeys,
    sendBytesPerSecond: rates.sendBytesPerSecond,
  });
});

test("RateMeter tells nothing a second of no time, and what happened since it was asked last", () => {
  const pair = new SimPair(new SimNetwork(2));
  const figures = figuresOf(pair.a.session.stats());
  const meter = new RateMeter(1_000, figures);
  expect(meter.take(1_000, figures)).toMatchObject({ sendBytesPerSecond: 0, receiveBytesPerSecond: 0 });
  const more = { ...figures, sentBytes: figures.sentBytes + 500, receivedBytes: figures.receivedBytes + 50 };
  expect(meter.take(1_500, more)).toMatchObject({ sendBytesPerSecond: 1_000, receiveBytesPerSecond: 100 });
  expect(meter.take(2_500, more)).toMatchObject({ sendBytesPerSecond: 0, receiveBytesPerSecond: 0 });
});

test("figures of a session without a path are not known", () => {
  const pair = new SimPair(new SimNetwork(3), { server: null });
  expect(figuresOf(pair.a.session.stats())).toMatchObject({ rttMs: null, mtuBytes: null, windowBytes: null });
});
