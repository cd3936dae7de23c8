import { expect, setDefaultTimeout, test } from "bun:test";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { seeds } from "./seeds.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

test("close() tells the other end why, and both stop", () => {
  const network = new SimNetwork(1);
  const pair = new SimPair(network);
  network.runFor(1_000);
  pair.a.do((session, now) => session.close(now, "cancelled", "we are done"));
  network.runUntil(() => pair.a.has("closed") && pair.b.has("closed"), 500, "the end");
  expect(pair.a.last("closed")).toEqual({ kind: "closed", code: "cancelled", reason: "we are done", remote: false });
  expect(pair.b.last("closed")).toEqual({ kind: "closed", code: "cancelled", reason: "we are done", remote: true });
  expect([pair.a.wakeAt(), pair.b.wakeAt()]).toEqual([null, null]);
  expect(pair.a.do((session, now) => session.write(now, 2, new Uint8Array(5)))).toBe(0);
});

test("the end gets through where 30 % is lost, and nobody hangs", () => {
  const all = seeds(40);
  let told = 0;
  for (const seed of all) {
    const network = new SimNetwork(seed);
    const pair = new SimPair(network, { server: null });
    pair.open(pair.addRoute({ delayMs: 20, loss: 0.3 }), 1, 60_000);
    const line = new Transfer(pair.a, 2, network.random.bytes(50), false);
    // Of 1 000 seeds one loses the line and six probes behind it, which takes 10 s.
    network.runUntil(() => line.hasArrived(pair.b), 30_000, "a line");
    pair.a.do((session, now) => session.close(now, "cancelled", ""));
    network.runFor(3_000);
    expect(pair.a.last("closed")).toMatchObject({ code: "cancelled", remote: false });
    if (pair.b.has("closed")) told++;
  }
  expect(told).toBeGreaterThanOrEqual(0.9 * all.length);
});

test("two ends that close at the same time both come to an end", () => {
  const network = new SimNetwork(2);
  const pair = new SimPair(network);
  network.runFor(1_000);
  for (const end of [pair.a, pair.b]) end.do((session, now) => session.close(now, "cancelled", end.name));
  network.runFor(2_000);
  expect(pair.a.last("closed")).toMatchObject({ reason: "a", remote: false });
  expect(pair.b.last("closed")).toMatchObject({ reason: "b", remote: false });
});

test("close() cuts a reason that is too long, at a whole character", () => {
  const network = new SimNetwork(9);
  const pair = new SimPair(network);
  network.runFor(1_000);
  pair.a.do((session, now) => session.close(now, "cancelled", "🙂".repeat(100)));
  network.runFor(1_000);
  expect(pair.b.last("closed")).toMatchObject({ reason: "🙂".repeat(50), remote: true });
});

test("close() without any path ends at once", () => {
  const network = new SimNetwork(3);
  const pair = new SimPair(network, { server: null });
  pair.a.do((session, now) => session.close(now, "no-path", "gave up"));
  expect(pair.a.last("closed")).toMatchObject({ code: "no-path", remote: false });
});

test("ping() measures the round trip", () => {
  const network = new SimNetwork(4);
  const pair = new SimPair(network);
  pair.open(pair.addRoute({ delayMs: 30 }));
  network.runFor(1_000);
  pair.a.do((session, now) => session.ping(now));
  network.runUntil(() => pair.a.has("pong"), 1_000, "the answer");
  expect(pair.a.last("pong")?.rttMs).toBeCloseTo(60, 0);
});

test("datagrams arrive once or not at all", () => {
  const network = new SimNetwork(5);
  const pair = new SimPair(network, { server: null });
  pair.open(pair.addRoute({ delayMs: 20, loss: 0.2, duplicate: 0.2 }), 1, 60_000);
  for (let index = 0; index < 200; index++) {
    pair.a.do((session, now) => session.sendDatagram(now, Uint8Array.of(index)));
    network.runFor(20);
  }
  network.runFor(1_000);
  const came = pair.b.events.flatMap((event) => (event.kind === "datagram" ? [event.bytes[0]] : []));
  expect(new Set(came).size).toBe(came.length);
  expect(came.length).toBeGreaterThan(120);
  expect(came.length).toBeLessThan(190);
});

test("the first packet that opens is told once, on both ends", () => {
  const pair = new SimPair(new SimNetwork(6));
  pair.network.runFor(1_000);
  for (const end of [pair.a, pair.b])
    expect(end.events.filter((event) => event.kind === "established")).toHaveLength(1);
});

test("receiver indexes are told before they are used, and told when they are of no more use", () => {
  const network = new SimNetwork(7);
  const pair = new SimPair(network, { limits: { rekeyAfterPackets: 16, restrictAfterPackets: 32 } });
  pair.open(pair.addRoute(links.home));
  const known = new Set([1]);
  let unknown = 0;
  const learn = () => {
    for (const event of pair.a.events.splice(0)) {
      if (event.kind !== "indexes") continue;
      for (const index of event.add) known.add(index);
      for (const index of event.retire) known.delete(index);
    }
  };
  pair.b.tap = (bytes) => {
    learn();
    if (!known.has(new DataView(bytes.buffer, bytes.byteOffset).getUint32(4))) unknown++;
    return bytes;
  };
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(300_000));
  network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  network.runFor(30_000);
  learn();
  expect(unknown).toBe(0);
  expect(pair.a.session.stats().epoch).toBeGreaterThan(5);
  expect(known.size).toBeLessThanOrEqual(7); // the current one, two spares, one for a rekey under way, and three in reserve
});

test("networkChanged() makes packets carry an index that was never used before", () => {
  const network = new SimNetwork(8);
  const pair = new SimPair(network);
  network.runFor(1_000);
  pair.a.isCapturing = true;
  const seen = () => pair.a.captured.splice(0).map(({ bytes }) => new DataView(bytes.buffer).getUint32(4));
  pair.a.do((session, now) => session.ping(now));
  network.runFor(1_000);
  expect(new Set(seen())).toEqual(new Set([2]));
  pair.a.session.networkChanged();
  pair.a.do((session, now) => session.ping(now));
  network.runFor(1_000);
  expect(seen()).not.toContain(2);
  expect(pair.a.has("pong")).toBe(true);
});
