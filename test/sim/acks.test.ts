import { expect, setDefaultTimeout, test } from "bun:test";
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
