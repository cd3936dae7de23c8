import { expect, setDefaultTimeout, test } from "bun:test";
import { SEALED_HEADER_BYTES } from "../../src/wire/packet/header.ts";
import { SERVER_ROUTE } from "../../src/wire/session/route.ts";
import { Session } from "../../src/wire/session/session.ts";
import { SimNetwork } from "./network.ts";
import { links, sessionOptions, SimPair } from "./pair.ts";
import { quickRekeys } from "./quick-rekeys.ts";
import { seeds } from "./seeds.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

/** A pair of which `a` has one sealed packet on its way that `b` has not seen. */
function withOneOnTheWay(): { pair: SimPair; packet: Uint8Array } {
  const pair = new SimPair(new SimNetwork(1));
  pair.network.runFor(2_000);
  pair.a.isCapturing = true;
  pair.a.tap = () => null;
  pair.a.do((session, now) => session.write(now, 2, new Uint8Array(100).fill(7)));
  const packet = pair.a.captured[0]?.bytes;
  if (packet === undefined) throw new Error("nothing was sent");
  return { pair, packet };
}

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

test("bad input 116: a packet with any bit flipped is dropped and moves no window", () => {
  const { pair, packet } = withOneOnTheWay();
  const before = pair.b.session.stats();
  const events = pair.b.events.length;
  const bits = [
    ...Array(SEALED_HEADER_BYTES * 8).keys(),
    ...Array(128)
      .keys()
      .map((bit) => (packet.length - 16) * 8 + bit),
  ];
  for (const bit of bits) pair.b.receive(flipped(packet, bit), SERVER_ROUTE);
  pair.b.receive(flipped(packet, 150), SERVER_ROUTE);
  expect(pair.b.session.stats().openedPackets).toBe(before.openedPackets);
  expect(pair.b.events.length).toBe(events);
  pair.b.receive(packet, SERVER_ROUTE);
  expect(pair.b.session.stats().openedPackets).toBe(before.openedPackets + 1);
  expect(pair.b.inbox(2).bytes).toBe(100);
});

test("bad input 116: a packet that comes again, or cut short, or longer, is dropped", () => {
  const { pair, packet } = withOneOnTheWay();
  pair.b.receive(packet, SERVER_ROUTE);
  const before = pair.b.session.stats();
  for (let length = 0; length < packet.length; length++) pair.b.receive(packet.subarray(0, length), SERVER_ROUTE);
  for (let round = 0; round < 10; round++) pair.b.receive(packet, SERVER_ROUTE);
  expect(pair.b.session.stats().openedPackets).toBe(before.openedPackets);
  expect(pair.b.session.stats().repeatedPackets).toBeGreaterThanOrEqual(before.repeatedPackets + 10);
  expect(pair.b.inbox(2).bytes).toBe(100);
});

test("bad input 117: forged packets with numbers far ahead do not keep real ones out", () => {
  const { pair, packet } = withOneOnTheWay();
  for (let step = 1; step <= 200; step++) {
    const forged = packet.slice();
    new DataView(forged.buffer).setUint32(12, step * 20_000_000);
    pair.b.receive(forged, SERVER_ROUTE);
  }
  expect(pair.b.inbox(2).bytes).toBe(0);
  pair.b.receive(packet, SERVER_ROUTE);
  expect(pair.b.inbox(2).bytes).toBe(100);
});

test("bad input 118: a whole recorded session played again shows and answers nothing", () => {
  const network = new SimNetwork(2);
  const pair = new SimPair(network, { limits: quickRekeys(network.random) });
  pair.a.isCapturing = true;
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(100_000));
  network.runUntil(() => transfer.hasArrived(pair.b), 30_000, "the transfer");
  network.runFor(5_000);
  const { openedPackets } = pair.b.session.stats();
  const [events, bytes] = [pair.b.events.length, pair.b.session.stats().sentBytes];
  for (const { bytes: packet } of pair.a.captured) pair.b.receive(packet, SERVER_ROUTE);
  expect(pair.b.session.stats()).toMatchObject({ openedPackets, sentBytes: bytes });
  expect(pair.b.events.length).toBe(events);
  // A process that was started again has other keys, whatever indexes it draws.
  const restarted = new Session({ ...sessionOptions(network)[1], localIndex: 2 });
  restarted.setServerRoute(0, true);
  while (restarted.pollEvent() !== null || restarted.pollTransmit(0) !== null);
  for (const { bytes: packet } of pair.a.captured) restarted.handleDatagram(0, packet, SERVER_ROUTE);
  expect([restarted.pollEvent(), restarted.pollTransmit(0)]).toEqual([null, null]);
});

for (const seed of seeds(20)) {
  test(`bad input 119: lost, doubled, out of order and 20 s late over a rekey, all is delivered once: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { limits: quickRekeys(random) });
    pair.open(pair.addRoute(links.awful), 1, 60_000);
    for (const end of [pair.a, pair.b]) {
      const [other, route] = end === pair.a ? [pair.b, SERVER_ROUTE] : [pair.a, SERVER_ROUTE];
      end.tap = (bytes) => {
        const copy = bytes.slice();
        if (random.chance(0.05)) network.in(20_000, () => other.receive(copy, route));
        return bytes;
      };
    }
    const stream = pair.a.session.openStream("bulk");
    const transfer = new Transfer(pair.a, stream, random.bytes(60_000));
    const lines = new Transfer(pair.b, 2, random.bytes(3_000), false);
    network.runUntil(() => transfer.hasArrived(pair.b) && lines.hasArrived(pair.a), 300_000, "all of it");
    network.runFor(40_000);
    expect(pair.b.inbox(stream)).toMatchObject({ bytes: 60_000, isFinished: true });
    expect(pair.a.inbox(2).bytes).toBe(3_000);
    expect(pair.a.has("closed") || pair.b.has("closed")).toBe(false);
  });
}

for (const seed of seeds(20)) {
  test(`packets that are changed, doubled, cut and made up never bring wrong bytes: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { limits: quickRekeys(random) });
    const direct = pair.addRoute(links.cellular);
    pair.open(direct);
    for (const end of [pair.a, pair.b]) {
      const other = end === pair.a ? pair.b : pair.a;
      end.tap = (bytes) => {
        const roll = random.fraction();
        const route = random.chance(0.5) ? SERVER_ROUTE : other === pair.b ? direct.fromB : direct.fromA;
        if (roll < 0.1) return flipped(bytes, random.between(0, bytes.length * 8 - 1));
        if (roll < 0.15) return bytes.slice(0, random.between(0, bytes.length));
        if (roll < 0.3) network.in(random.fraction() * 200, () => other.receive(bytes.slice(), route));
        if (roll < 0.35)
          network.in(random.fraction() * 50, () => other.receive(random.bytes(random.between(0, 1_300)), route));
        return bytes;
      };
    }
    const stream = pair.a.session.openStream("bulk");
    const transfer = new Transfer(pair.a, stream, random.bytes(160_000));
    network.runUntil(() => transfer.hasArrived(pair.b) && pair.b.inbox(stream).isFinished, 300_000, "the transfer");
    expect(pair.b.session.stats().forgedPackets).toBeGreaterThan(0);
    expect(pair.a.has("closed") || pair.b.has("closed")).toBe(false);
  });
}

test("bad input 122: a rekey whose messages are lost ten times over comes through", () => {
  const network = new SimNetwork(3);
  const pair = new SimPair(network, { limits: { rekeyAfterPackets: 20, restrictAfterPackets: 40 } });
  network.runFor(1_000);
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(200_000));
  let swallowed = 0;
  pair.b.tap = (bytes) => {
    const isAnswer = swallowed < 10 && pair.a.session.stats().epoch === 0 && bytes.length >= 128 && bytes.length <= 256;
    if (isAnswer) swallowed++;
    return isAnswer ? null : bytes;
  };
  network.runUntil(() => transfer.hasArrived(pair.b), 120_000, "the transfer");
  expect(swallowed).toBe(10);
  expect(pair.a.session.stats().epoch).toBeGreaterThan(1);
  expect(Math.abs(pair.a.session.stats().epoch - pair.b.session.stats().epoch)).toBeLessThanOrEqual(1);
});

test("bad input 122: packets of an old epoch open for 15 s and not longer", () => {
  for (const [lateMs, opens] of [
    [10_000, true],
    [16_500, false],
  ] as const) {
    const network = new SimNetwork(4);
    const pair = new SimPair(network, { limits: { rekeyAfterMs: 5_000 } });
    network.runFor(4_000);
    let kept: Uint8Array | null = null;
    pair.a.tap = (bytes) => ((kept ??= bytes.slice()), null);
    pair.a.do((session, now) => session.ping(now));
    pair.a.tap = null;
    network.runUntil(() => pair.b.session.stats().epoch === 1, 5_000, "the rekey");
    network.runFor(lateMs);
    const { openedPackets } = pair.b.session.stats();
    if (kept !== null) pair.b.receive(kept, SERVER_ROUTE);
    expect(pair.b.session.stats().openedPackets - openedPackets).toBe(opens ? 1 : 0);
  }
});

test("bad input 127: clocks an hour apart, and one that jumps, change nothing", () => {
  for (const clockAheadMs of [3_600_000, -3_600_000]) {
    const network = new SimNetwork(5);
    network.runFor(4_000_000);
    const pair = new SimPair(network, { clockAheadMs });
    pair.open(pair.addRoute(links.home));
    const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(2_000_000));
    network.runFor(200);
    pair.b.jump(30 * 60_000);
    network.runFor(200);
    pair.a.jump(3_000);
    network.runUntil(() => transfer.hasArrived(pair.b), 30_000, "the transfer");
    expect(pair.a.has("closed") || pair.b.has("closed")).toBe(false);
  }
});
