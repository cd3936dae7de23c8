import { expect, setDefaultTimeout, test } from "bun:test";
import { sessionLimits } from "../../src/wire/session/session-limits.ts";
import type { TraceEvent } from "../../src/wire/session/trace.ts";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

/** A transfer from `b` to `a`, and what `a`, which only reads, said meanwhile. */
function received(seed: number, link: LinkOptions, bytes: number) {
  const events: TraceEvent[] = [];
  const pair = new SimPair(new SimNetwork(seed), { trace: (_, event) => void events.push(structuredClone(event)) });
  const route = pair.addRoute(link);
  pair.open(route);
  pair.network.runFor(1_000);
  const [since, before] = [pair.network.now, route.aToB.sentPackets];
  events.length = 0;
  const transfer = new Transfer(pair.b, pair.b.session.openStream("bulk"), new Uint8Array(bytes));
  pair.network.runUntil(() => pair.a.inbox(transfer.stream).bytes === bytes, 60_000, "the transfer");
  const acks = events.flatMap((event) =>
    event.kind === "packet-sent" ? event.frames.filter((frame) => frame.kind === "ack") : [],
  );
  const packets = events.filter(({ kind }) => kind === "packet-received").length;
  return { acks, packets, ackPackets: route.aToB.sentPackets - before, ms: pair.network.now - since };
}

test("a fast path sees about one ack a millisecond, a slow one an ack for every other packet", () => {
  const fast = received(1, { delayMs: 25, rate: 62_500, queueBytes: 4_000_000 }, 20_000_000);
  expect(fast.ackPackets).toBeLessThan(fast.packets / 5);
  expect(fast.ackPackets).toBeLessThan(2 * fast.ms + 100);
  expect(fast.ackPackets).toBeGreaterThan(fast.ms / 2);
  const slow = received(2, { delayMs: 25, rate: 1_250, queueBytes: 200_000 }, 1_000_000);
  expect(slow.ackPackets).toBeGreaterThan(slow.packets / 3);
});

/** What `a` sends where, by the port of the route's other end: acks and bulk. */
function watch(pair: SimPair, sent: Map<number, { acks: number; bytes: number }>): void {
  pair.a.tap = (bytes, to) => {
    const port = to.kind === "udp" ? to.remote.port : 0;
    const { acks, bytes: before } = sent.get(port) ?? { acks: 0, bytes: 0 };
    sent.set(port, { acks: acks + (bytes.length < 64 ? 1 : 0), bytes: before + bytes.length });
    return bytes;
  };
}

test("acks go on the path they acknowledge, though data goes on another, and where data goes once that has fallen silent", () => {
  const pair = new SimPair(new SimNetwork(5), { limits: { rekeyAfterPackets: sessionLimits.rekeyAfterPackets } });
  const { network } = pair;
  const [near, far] = [10, 40].map((delayMs) => pair.addRoute({ delayMs, rate: 2_500, queueBytes: 200_000 }));
  if (near === undefined || far === undefined) throw new Error("there are two");
  // Each end likes another one better.
  const probe = (): void => {
    for (const [route, ofA, ofB] of [
      [near, 1, 2],
      [far, 2, 1],
    ] as const) {
      pair.a.do((session, now) => session.probe(now, route.fromA, ofA));
      pair.b.do((session, now) => session.probe(now, route.fromB, ofB));
    }
  };
  for (let round = 0; round < 10; round++) {
    probe();
    network.runFor(200);
  }
  const sent = new Map<number, { acks: number; bytes: number }>();
  watch(pair, sent);
  const there = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(2_000_000));
  const back = new Transfer(pair.b, pair.b.session.openStream("bulk"), network.random.bytes(4_000_000));
  network.runFor(600);
  const [nearPort, farPort] = [near, far].map(({ fromA }) => (fromA.kind === "udp" ? fromA.remote.port : 0));
  expect(sent.get(farPort ?? 0)?.acks).toBeGreaterThan(100);
  expect(sent.get(nearPort ?? 0)?.bytes).toBeGreaterThan(1_000_000);
  const ofB = pair.b.session.stats().paths.find(({ isSelected }) => isSelected);
  expect(Math.round((ofB?.minRttMs ?? 0) / 10)).toBe(8);
  far.aToB.isDown = true;
  network.runUntil(() => there.hasArrived(pair.b) && back.hasArrived(pair.a), 10_000, "both");
});

test("acks of acks prune: what was told and heard is told no more, though only one end speaks", () => {
  const { acks } = received(3, { ...links.home, loss: 0.03 }, 5_000_000);
  const counts = acks.map(({ ranges }) => ranges.length).toSorted((a, b) => a - b);
  expect(counts.length).toBeGreaterThan(200);
  // A hundred packets were lost; without an end 64 ranges would be told from half of the time on.
  expect(counts[Math.floor(counts.length * 0.9)]).toBeLessThan(32);
  // The oldest number told comes along as well.
  const last = acks.at(-1)?.ranges ?? [];
  expect((last[0]?.[1] ?? 0) - (last.at(-1)?.[0] ?? 0)).toBeLessThan(1_000);
});

test("an ack never tells more than 64 ranges, however much is lost and comes out of order", () => {
  const { acks } = received(4, { ...links.home, loss: 0.3, reorder: 0.2 }, 500_000);
  expect(Math.max(...acks.map(({ ranges }) => ranges.length))).toBeLessThanOrEqual(64);
});
