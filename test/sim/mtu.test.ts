import { expect, setDefaultTimeout, test } from "bun:test";
import type { PathStats } from "../../src/wire/session/stats.ts";
import type { SimEnd } from "./end.ts";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair, type SimRoute } from "./pair.ts";
import { quickRekeys } from "./quick-rekeys.ts";
import { seeds } from "./seeds.ts";
import { longestStall, Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const MB = 1_000_000;
const TEN_MINUTES_MS = 600_000;

function openPair(seed: number, link: LinkOptions): { pair: SimPair; network: SimNetwork; direct: SimRoute } {
  const network = new SimNetwork(seed);
  const pair = new SimPair(network);
  const direct = pair.addRoute(link);
  pair.open(direct);
  return { pair, network, direct };
}

function change(route: SimRoute, options: Partial<LinkOptions>): void {
  for (const link of [route.aToB, route.bToA]) link.options = { ...link.options, ...options };
}

function pathOf(end: SimEnd): PathStats {
  const path = end.session.stats().paths.find(({ isSelected }) => isSelected);
  if (path === undefined) throw new Error("there is no path");
  return path;
}

function bulk(pair: SimPair, bytes: number): Transfer {
  return new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(bytes));
}

for (const [what, link, least, most] of [
  ["Ethernet, whose card refuses more", {}, 1_472, 1_472],
  ["loopback, up to a jumbo frame", { ownMtu: 65_507 }, 8_952, 8_952],
  ["a jumbo network", { ownMtu: 8_972, mtu: 8_972 }, 8_952, 8_952],
  ["a cloud's network of 8896 bytes", { ownMtu: 8_868, mtu: 8_868 }, 8_600, 8_868],
  ["Ethernet behind a jumbo card", { ownMtu: 8_972, mtu: 1_472 }, 1_472, 1_472],
  ["PPPoE", { mtu: 1_464 }, 1_452, 1_464],
  ["a tunnel of 1420 bytes", { mtu: 1_392 }, 1_350, 1_392],
  ["bad input 126: 1280 bytes, IPv6's least", { mtu: 1_252 }, 1_215, 1_252],
  ["bad input 126: 1200 bytes and not one more", { mtu: 1_200 }, 1_200, 1_200],
] as const)
  test(`a path finds out what it carries, within seconds and for little: ${what}`, () => {
    const { pair, network, direct } = openPair(1, { ...links.home, jitterMs: 0, queueBytes: MB, ...link });
    const before = direct.aToB.sentBytes;
    network.runFor(10_000);
    const { mtuBytes, mtuState, lostPackets, probeTimeouts, bytesInFlight } = pathOf(pair.a);
    expect(mtuState).toBe("complete");
    expect(mtuBytes).toBeGreaterThanOrEqual(least);
    expect(mtuBytes).toBeLessThanOrEqual(most);
    // A lost probe tells nothing about the path but its length.
    expect([lostPackets, probeTimeouts, bytesInFlight]).toEqual([0, 0, 0]);
    expect(direct.aToB.sentBytes - before).toBeLessThan(60_000);
    const transfer = bulk(pair, MB);
    network.runUntil(() => transfer.hasArrived(pair.b), 10_000, "the transfer");
    expect(pathOf(pair.a).lostPackets).toBe(0);
    expect(pathOf(pair.a).mtuBytes).toBe(mtuBytes);
  });

test("a path is known after two probes where it is Ethernet", () => {
  const { pair, network } = openPair(2, links.home);
  const roundTripMs = 44;
  const mostAckDelayMs = 25;
  network.runUntil(() => pathOf(pair.a).mtuBytes === 1_472, 2 * (roundTripMs + mostAckDelayMs), "the size");
});

test("packets through the server stay at 1200 bytes, and so do those where fragments cannot be forbidden", () => {
  const network = new SimNetwork(3);
  const pair = new SimPair(network, { session: { isUnfragmented: () => false } });
  let longest = 0;
  pair.a.tap = (bytes) => {
    longest = Math.max(longest, bytes.length);
    return bytes;
  };
  const first = bulk(pair, MB);
  network.runUntil(() => first.hasArrived(pair.b), 30_000, "the transfer over the server");
  expect(pathOf(pair.a)).toMatchObject({ route: { kind: "server" }, mtuBytes: 1_200, mtuState: "fixed" });
  pair.open(pair.addRoute(links.home));
  const second = bulk(pair, MB);
  network.runUntil(() => second.hasArrived(pair.b), 30_000, "the transfer");
  expect(pathOf(pair.a)).toMatchObject({ route: { kind: "udp" }, mtuBytes: 1_200, mtuState: "fixed" });
  expect(longest).toBe(1_200);
});

test("a new path begins at 1200 bytes, whatever the one before carried", () => {
  const { pair, network, direct } = openPair(4, { ...links.home, ownMtu: 65_507 });
  network.runFor(5_000);
  expect(pathOf(pair.a).mtuBytes).toBe(8_952);
  const other = pair.addRoute({ ...links.home, mtu: 1_300 });
  direct.aToB.isDown = direct.bToA.isDown = true;
  pair.a.do((session, now) => session.forget(now, direct.fromA));
  const transfer = bulk(pair, 5 * MB);
  let most = 0;
  pair.a.tap = (bytes, to) => {
    most = Math.max(most, pair.a.session.stats().paths.find(({ route }) => route === to)?.mtuBytes ?? 0);
    return bytes;
  };
  pair.open(other);
  network.runUntil(() => transfer.hasArrived(pair.b), 10_000, "the transfer");
  expect(most).toBeGreaterThan(1_250);
  expect(most).toBeLessThanOrEqual(1_300);
});

for (const [before, after] of [
  [8_952, 1_472],
  [8_952, 1_200],
  [1_472, 1_452],
  [1_472, 1_280],
  [1_472, 1_200],
] as const)
  for (const loss of [0, 0.3])
    test(`a black hole in mid-transfer, from ${before} to ${after} bytes, stalls for less than 2 s, with ${100 * loss} % loss too`, () => {
      const { pair, network, direct } = openPair(5, { ...links.home, loss, mtu: before, ownMtu: 65_507 });
      network.runUntil(() => pathOf(pair.a).mtuBytes > 1_400, 20_000, "the search");
      const transfer = bulk(pair, 3 * MB);
      network.in(200, () => change(direct, { mtu: after }));
      expect(longestStall(network, pair.b, transfer.stream, 120_000)).toBeLessThan(2_000);
      expect(transfer.hasArrived(pair.b)).toBe(true);
      const path = pair.a.session.stats().paths.find(({ id }) => id === 3);
      expect(path?.mtuBytes).toBeLessThanOrEqual(after);
      expect(pair.a.has("route-lost")).toBe(false);
      expect(pathOf(pair.a)).toMatchObject({ id: 3, route: direct.fromA });
      network.runFor(30_000);
      // Where so much is lost, keepalives of an idle path are too.
      if (loss > 0) return;
      expect(pathOf(pair.a).mtuState).toBe("complete");
      expect(pathOf(pair.a).mtuBytes).toBeGreaterThan(after * 0.95);
    });

test("bad input 126: a path that shrinks below 1200 bytes is left for the server's, and without one nothing gets lost", () => {
  for (const hasServer of [true, false]) {
    const { pair, network, direct } = openPair(6, links.home);
    network.runFor(2_000);
    if (!hasServer) pair.setServer(false);
    const transfer = bulk(pair, 3 * MB);
    network.in(200, () => change(direct, { mtu: 600 }));
    if (!hasServer) network.in(20_000, () => change(direct, { mtu: 1_300 }));
    const stallMs = longestStall(network, pair.b, transfer.stream, 120_000);
    expect(stallMs).toBeLessThan(hasServer ? 3_000 : 26_000);
    expect(transfer.hasArrived(pair.b)).toBe(true);
    expect(pathOf(pair.a).route.kind).toBe(hasServer ? "server" : "udp");
  }
});

for (const [mtu, packetBytes, most] of [
  [1_200, 1_200, 54],
  [1_452, 1_452, 45],
  [8_952, 8_952, 7],
] as const)
  test(`a burst holds ${most} packets of ${packetBytes} bytes and not one more`, () => {
    const fast = { delayMs: 1, rate: 250_000, queueBytes: 4 * MB, mtu, ownMtu: mtu };
    const { pair, network } = openPair(10, fast);
    network.runFor(3_000);
    expect(pathOf(pair.a).mtuBytes).toBe(packetBytes);
    const { session } = pair.a;
    const poll = session.pollTransmit.bind(session);
    const counts: number[] = [];
    session.pollTransmit = (now) => {
      const transmit = poll(now);
      if (transmit?.segmentBytes === packetBytes) counts.push(Math.ceil(transmit.bytes.length / packetBytes));
      expect(transmit?.bytes.length ?? 0).toBeLessThanOrEqual(65_507);
      return transmit;
    };
    const transfer = bulk(pair, 8 * MB);
    network.runUntil(() => transfer.hasArrived(pair.b), 10_000, "the transfer");
    expect(Math.max(...counts)).toBe(most);
  });

test("a path that grows is found to after 10 minutes, and not asked more often", () => {
  const { pair, network, direct } = openPair(7, { ...links.home, mtu: 1_252 });
  network.runFor(10_000);
  expect(pathOf(pair.a).mtuBytes).toBeLessThanOrEqual(1_252);
  change(direct, { mtu: 65_507 });
  let longest = 0;
  pair.a.tap = (bytes) => {
    longest = Math.max(longest, bytes.length);
    return bytes;
  };
  network.runFor(TEN_MINUTES_MS - 15_000);
  expect(longest).toBeLessThan(1_252);
  network.runFor(20_000);
  expect(pathOf(pair.a).mtuBytes).toBe(1_472);
});

test("bursts that the card refuses since its MTU was changed cost a moment, and no route", () => {
  const { pair, network, direct } = openPair(8, { ...links.home, ownMtu: 65_507 });
  network.runFor(5_000);
  const transfer = bulk(pair, 3 * MB);
  network.in(200, () => change(direct, { ownMtu: 1_300 }));
  expect(longestStall(network, pair.b, transfer.stream, 60_000)).toBeLessThan(500);
  expect(pathOf(pair.a).mtuBytes).toBeLessThanOrEqual(1_300);
  expect(pair.a.has("route-lost")).toBe(false);
});

test("what is said while a path is suspect goes on both in packets of 1200 bytes, however long others may be", () => {
  const network = new SimNetwork(9);
  const pair = new SimPair(network);
  const [first, second] = [{ ownMtu: 65_507 }, { ownMtu: 65_507 }].map((own) =>
    pair.addRoute({ ...links.home, ...own }),
  );
  if (first === undefined || second === undefined) throw new Error("there are two");
  pair.open(second, 2);
  network.runFor(2_000);
  pair.open(first, 1);
  network.runFor(2_000);
  expect(pathOf(pair.a).mtuBytes).toBe(8_952);
  first.aToB.isDown = true;
  const lost = new Transfer(pair.a, 2, network.random.bytes(500), false);
  network.runUntil(() => pathOf(pair.a).route === second.fromA && lost.hasArrived(pair.b), 5_000, "the move");
  const copies: number[] = [];
  pair.a.tap = (bytes, to) => {
    if (to === first.fromA) copies.push(bytes.length);
    return bytes;
  };
  const line = new Transfer(pair.a, 0, network.random.bytes(6_000), false);
  network.runUntil(() => line.hasArrived(pair.b), 1_000, "the line");
  expect(copies.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(6_000);
  expect(Math.max(...copies)).toBe(1_200);
});

test("what is said beside a file while a path is suspect goes on both as well", () => {
  const network = new SimNetwork(10);
  const pair = new SimPair(network);
  const [first, second] = [pair.addRoute(links.home), pair.addRoute({ ...links.home, rate: 12_500 })];
  pair.open(second, 2);
  network.runFor(2_000);
  pair.open(first, 1);
  network.runFor(2_000);
  first.aToB.isDown = true;
  bulk(pair, 6 * MB);
  network.runUntil(() => pathOf(pair.a).route === second.fromA, 5_000, "the move");
  let copies = 0;
  pair.a.tap = (bytes, to) => {
    if (to === first.fromA) copies++;
    return bytes;
  };
  for (let line = 0; line < 20; line++) {
    pair.a.session.write(pair.a.now, 0, network.random.bytes(300)); // leaves with what leaves next
    network.runFor(5);
  }
  expect(copies).toBeGreaterThanOrEqual(16);
});

for (const seed of seeds(20))
  test(`whatever becomes of the length of packets, a transfer is whole in bounded time: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { limits: seed % 2 === 0 ? quickRekeys(random) : {} });
    const loss = random.fraction() * 0.3;
    const direct = pair.addRoute({ ...links.home, loss, reorder: 0.02, duplicate: 0.02, ownMtu: 65_507 });
    pair.open(direct);
    const shift = () => {
      const mtu = random.chance(0.1) ? random.between(300, 1_199) : random.between(1_200, 9_000);
      change(direct, random.chance(0.2) ? { ownMtu: mtu } : { mtu, ownMtu: 65_507 });
      network.in(random.between(100, 3_000), shift);
    };
    shift();
    const transfer = bulk(pair, 2 * MB);
    network.runUntil(() => transfer.hasArrived(pair.b), 120_000, "the transfer");
    const back = new Transfer(pair.b, 2, random.bytes(20_000), false);
    network.runUntil(() => back.hasArrived(pair.a), 30_000, "the answer");
  });
