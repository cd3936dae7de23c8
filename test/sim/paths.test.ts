import { expect, setDefaultTimeout, test } from "bun:test";
import { RELAY_ROUTE, type Route } from "../../src/wire/session/route.ts";
import { RELAY_TIER } from "../../src/wire/session/route-state.ts";
import type { TraceEvent } from "../../src/wire/session/trace.ts";
import type { SimEnd } from "./end.ts";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair, type SimRoute } from "./pair.ts";
import { seeds } from "./seeds.ts";
import { quickRekeys } from "./quick-rekeys.ts";
import { longestStall, Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const MB = 1_000_000;

function cut(route: SimRoute, isDown = true): void {
  route.aToB.isDown = route.bToA.isDown = isDown;
}

function selected(end: SimEnd): Route | undefined {
  return end.session.stats().paths.find((path) => path.isSelected)?.route;
}

for (const seed of seeds(20)) {
  test(`a path that dies in mid-transfer costs no byte and at most 3 s: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { limits: seed % 2 === 0 ? quickRekeys(random) : {} });
    const direct = pair.addRoute({ ...links.home, loss: random.fraction() * 0.1 });
    pair.open(direct);
    const stream = pair.a.session.openStream("bulk");
    const transfer = new Transfer(pair.a, stream, random.bytes(2 * MB));
    network.in(100 + random.fraction() * 300, () => {
      // In a third of the cases only one direction dies.
      if (seed % 3 === 0) direct.aToB.isDown = true;
      else if (seed % 3 === 1) direct.bToA.isDown = true;
      else cut(direct);
    });
    expect(longestStall(network, pair.b, stream, 120_000)).toBeLessThan(3_000);
    expect(transfer.hasArrived(pair.b)).toBe(true);
    // Where only acks are cut off they come back over the server, and the path stays of use.
    if (seed % 3 === 1) return;
    expect(selected(pair.a)).toEqual({ kind: "server" });
    expect(pair.a.last("route-lost")?.route).toEqual(direct.fromA);
  });
}

test("a chat line on a path that has just died arrives within a second", () => {
  const network = new SimNetwork(1);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  network.runFor(5_000);
  cut(direct);
  const line = new Transfer(pair.a, 2, network.random.bytes(80), false);
  network.runUntil(() => line.hasArrived(pair.b), 1_000, "the line");
});

/** A line of chat every 50 ms. */
function chatter(network: SimNetwork, from: SimEnd, lines: number): void {
  for (let line = 0; line < lines; line++)
    network.in(50 * line, () => from.do((session, now) => session.write(now, 2, network.random.bytes(80))));
}

for (const seed of seeds(5))
  test(`who only listens notices too that a path has died, and nobody is sent to another that died with it: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const pair = new SimPair(network);
    const [direct, relay] = [pair.addRoute(links.home), pair.addRelay(links.home)];
    for (const end of [pair.a, pair.b]) end.do((session, now) => session.probe(now, RELAY_ROUTE, RELAY_TIER));
    pair.open(direct);
    chatter(network, pair.a, 200);
    network.runFor(3_000);
    cut(direct);
    cut(relay);
    const [a, b] = [pair.a.events.length, pair.b.events.length];
    const isOnServer = () => [pair.a, pair.b].every((end) => selected(end)?.kind === "server");
    network.runUntil(isOnServer, 2_500, "the server's route");
    network.runFor(1_000);
    for (const [end, from] of [
      [pair.a, a],
      [pair.b, b],
    ] as const) {
      const told = end.events.slice(from).filter((event) => event.kind === "path-selected");
      expect(told.map(({ route }) => route.kind)).toEqual(["server"]);
    }
  });

test("a flow that ends in peace costs a challenge, and no path", () => {
  const network = new SimNetwork(4);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  chatter(network, pair.a, 40);
  network.runFor(2_500);
  const [sent, told] = [direct.bToA.sentPackets, pair.b.events.length];
  network.runFor(5_000);
  expect(direct.bToA.sentPackets - sent).toBeLessThanOrEqual(6);
  expect(pair.b.events.slice(told).filter(({ kind }) => kind === "path-selected" || kind === "route-lost")).toEqual([]);
});

test("a path that comes back is used again after a new check", () => {
  const network = new SimNetwork(2);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  cut(direct);
  const first = new Transfer(pair.a, 2, network.random.bytes(80), false);
  network.runUntil(() => pair.a.has("route-lost") && first.hasArrived(pair.b), 5_000, "the loss");
  cut(direct, false);
  pair.open(direct);
  expect(selected(pair.a)).toEqual(direct.fromA);
  expect(pair.a.session.stats().paths.map((path) => path.id)).toEqual([1, 4]);
});

test("a better path that appears is taken without a pause and without loss", () => {
  const network = new SimNetwork(3);
  const pair = new SimPair(network);
  pair.open(pair.addRoute(links.home), 2);
  const stream = pair.a.session.openStream("bulk");
  const transfer = new Transfer(pair.a, stream, network.random.bytes(6 * MB));
  network.runFor(500);
  const lan = pair.addRoute(links.lan);
  pair.open(lan, 1);
  expect(longestStall(network, pair.b, stream, 60_000)).toBeLessThan(200);
  expect(transfer.hasArrived(pair.b)).toBe(true);
  expect(selected(pair.a)).toEqual(lan.fromA);
});

/** What was given up and sent again since `before`, and what of it the links really lost or held back. */
function repairs(pair: SimPair, route: SimRoute) {
  const { lostPackets, spuriousPackets, repeatedBytes } = pair.a.session.stats();
  return { lostPackets, spuriousPackets, repeatedBytes, dropped: route.aToB.lostPackets + route.bToA.lostPackets };
}

for (const seed of seeds(10))
  test(`moving from the server to a direct path and back, under load, neither stalls nor takes anything for lost: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const pair = new SimPair(network);
    const direct = pair.addRoute(links.home);
    const stream = pair.a.session.openStream("bulk");
    const transfer = new Transfer(pair.a, stream, network.random.bytes(6 * MB));
    network.runFor(1_000);
    for (let round = 0; round < 2; round++) {
      const before = repairs(pair, direct);
      pair.open(direct);
      const toDirectMs = stallWithin(network, pair.b, stream, 700);
      const moved = repairs(pair, direct);
      expect(toDirectMs).toBeLessThan(200);
      expect(moved.lostPackets - before.lostPackets).toBeLessThanOrEqual(moved.dropped - before.dropped + 3);
      const inFlight = pair.a.session.stats().paths.find(({ isSelected }) => isSelected)?.bytesInFlight ?? 0;
      for (const end of [pair.a, pair.b])
        end.do((session, now) => session.forget(now, end === pair.a ? direct.fromA : direct.fromB));
      expect(selected(pair.a)).toEqual({ kind: "server" });
      const toServerMs = stallWithin(network, pair.b, stream, 700);
      const back = repairs(pair, direct);
      expect(toServerMs).toBeLessThan(300);
      // The socket is closed, so that no ack can come for what was on its way there; else only what was dropped goes out again.
      const droppedBytes = (back.dropped - moved.dropped) * 1_472;
      expect(back.repeatedBytes - moved.repeatedBytes).toBeLessThanOrEqual(inFlight + droppedBytes);
      expect(back.spuriousPackets - before.spuriousPackets).toBeLessThanOrEqual(6);
    }
    pair.open(direct);
    network.runUntil(() => transfer.hasArrived(pair.b), 20_000, "the transfer");
  });

/** The longest time without a new byte in the next `ms`. */
function stallWithin(network: SimNetwork, end: SimEnd, stream: number, ms: number): number {
  const until = network.now + ms;
  let [bytes, since, longest] = [end.inbox(stream).bytes, network.now, 0];
  for (; network.now < until && !end.inbox(stream).isFinished; network.runFor(1)) {
    if (end.inbox(stream).bytes === bytes) continue;
    longest = Math.max(longest, network.now - since);
    [bytes, since] = [end.inbox(stream).bytes, network.now];
  }
  return end.inbox(stream).isFinished ? longest : Math.max(longest, network.now - since);
}

test("every path counts its own packets from 0, and has a window, a rate and a round trip of its own", () => {
  const sent = new Map<number, number[]>();
  const network = new SimNetwork(21);
  const trace = (_: number, event: TraceEvent): void => {
    if (event.kind === "packet-sent") sent.set(event.path, [...(sent.get(event.path) ?? []), event.number]);
  };
  const pair = new SimPair(network, { trace });
  void new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(3 * MB));
  network.runFor(1_500);
  const server = pair.a.session.stats().paths[0];
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  const fresh = pair.a.session.stats().paths[1];
  expect([server?.id, fresh?.id]).toEqual([1, 3]);
  expect(fresh?.windowBytes).toBe(32 * 1_200);
  expect(server?.windowBytes).not.toBe(fresh?.windowBytes);
  network.runFor(300);
  const [slow, fast] = pair.a.session.stats().paths;
  expect(fast?.pacingBytesPerMs).toBeGreaterThan(2 * (slow?.pacingBytesPerMs ?? 0));
  expect([slow?.minRttMs, fast?.minRttMs].map((ms) => Math.round((ms ?? 0) / 10))).toEqual([12, 4]);
  for (const numbers of sent.values()) {
    expect(numbers[0]).toBeLessThan(3);
    expect(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0))).toBe(true);
  }
});

for (const [awayMs, goesOn] of [
  [5_000, true],
  [31_000, false],
] as const)
  test(`a path that comes back after ${awayMs / 1_000} s ${goesOn ? "goes on with its window" : "begins anew"}`, () => {
    const network = new SimNetwork(22);
    const pair = new SimPair(network);
    const direct = pair.addRoute(links.home);
    pair.open(direct);
    void new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(20 * MB));
    network.runFor(2_000);
    const windowOf = () => pair.a.session.stats().paths.find(({ isSelected }) => isSelected)?.windowBytes ?? 0;
    const before = windowOf();
    expect(before).toBeGreaterThan(2 * 32 * 1_200);
    cut(direct);
    pair.a.do((session, now) => session.forget(now, direct.fromA));
    network.runFor(awayMs);
    cut(direct, false);
    pair.open(direct);
    expect(windowOf()).toBeGreaterThan(goesOn ? before * 0.9 : 0);
    if (!goesOn) expect(windowOf()).toBe(32 * 1_200);
  });

test("what a path that died had in flight goes on the other within that one's own window", () => {
  const network = new SimNetwork(23);
  const pair = new SimPair(network);
  const direct = pair.addRoute({ delayMs: 20, rate: 12_500, queueBytes: 600_000 });
  pair.open(direct);
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(4 * MB));
  network.runFor(200);
  let overServer = 0;
  pair.a.tap = (bytes, to) => {
    if (to.kind === "server") overServer += bytes.length;
    return bytes;
  };
  const inFlight = pair.a.session.stats().paths.find(({ isSelected }) => isSelected)?.bytesInFlight ?? 0;
  expect(inFlight).toBeGreaterThan(200_000);
  cut(direct);
  network.runUntil(() => selected(pair.a)?.kind === "server", 3_000, "the move");
  network.runFor(100); // within a round trip of 120 ms
  // 32 packets, and what control and chat may go beyond.
  expect(overServer).toBeGreaterThan(20_000);
  expect(overServer).toBeLessThanOrEqual((32 + 16) * 1_200);
  network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
});

test("bad input 124: somebody who passes packets on, faster and both ways, does not draw a session to himself", () => {
  const network = new SimNetwork(24);
  const pair = new SimPair(network);
  const direct = pair.addRoute({ delayMs: 20, rate: 2_500, queueBytes: 128_000 });
  pair.open(direct);
  const stranger = (socket: number): Route => ({
    kind: "udp",
    socket,
    remote: { ip: "192.0.2.66", port: 600 + socket },
  });
  for (const [end, other] of [
    [pair.a, pair.b],
    [pair.b, pair.a],
  ] as const)
    end.tap = (bytes, to) => {
      const copy = bytes.slice();
      network.in(5, () => other.receive(copy, stranger(1)));
      return to.kind === "udp" && to.remote.ip === "192.0.2.66" ? null : bytes;
    };
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(2 * MB));
  network.runUntil(() => transfer.hasArrived(pair.b), 30_000, "the transfer");
  network.runFor(20_000);
  for (const end of [pair.a, pair.b]) {
    expect(end.events).toContainEqual(expect.objectContaining({ kind: "route-validated", route: stranger(1) }));
    expect(selected(end)).toEqual(end === pair.a ? direct.fromA : direct.fromB);
    expect(end.events.findLast(({ kind }) => kind === "path-selected")).toMatchObject({ route: selected(end) });
  }
});

test("of two routes of one tier the clearly faster is taken after 3 s, and equal ones do not flap", () => {
  const network = new SimNetwork(4);
  const pair = new SimPair(network);
  const slow = pair.addRoute({ delayMs: 40, jitterMs: 5 });
  const fast = pair.addRoute({ delayMs: 20, jitterMs: 5 });
  pair.open(slow);
  const probe = () => {
    for (const route of [slow, fast]) {
      pair.a.do((session, now) => session.probe(now, route.fromA, 1));
      pair.b.do((session, now) => session.probe(now, route.fromB, 1));
    }
    network.in(1_000, probe);
  };
  probe();
  network.runFor(2_900);
  expect(selected(pair.a)).toEqual(slow.fromA);
  network.runFor(2_100);
  expect(selected(pair.a)).toEqual(fast.fromA);
  network.runFor(600_000);
  expect(pair.a.events.filter((event) => event.kind === "path-selected").length).toBeLessThanOrEqual(4);
});

test("an idle direct path is kept alive, by 10 datagrams a minute or fewer", () => {
  const network = new SimNetwork(5);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  network.runFor(1_000);
  const before = direct.aToB.sentPackets;
  network.runFor(600_000);
  expect(selected(pair.a)).toEqual(direct.fromA);
  // Rekeys, every two minutes, go there as well.
  expect(direct.aToB.sentPackets - before).toBeLessThanOrEqual(10 * 12);
  expect(pair.a.has("route-lost")).toBe(false);
});

test("an idle path that dies is noticed by its keepalives", () => {
  const network = new SimNetwork(6);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  network.runFor(1_000);
  cut(direct);
  network.runUntil(() => pair.a.has("route-lost") && pair.b.has("route-lost"), 24_000, "the loss");
  expect(selected(pair.a)).toEqual({ kind: "server" });
});

test("the last usable path is never given up for its quality", () => {
  const network = new SimNetwork(7);
  const pair = new SimPair(network);
  const direct = pair.addRoute({ delayMs: 20, loss: 0.1 });
  pair.open(direct);
  pair.setServer(false);
  cut(direct);
  const line = new Transfer(pair.a, 2, network.random.bytes(500), false);
  network.runFor(600_000);
  expect(pair.a.has("route-lost")).toBe(false);
  cut(direct, false);
  network.runUntil(() => line.hasArrived(pair.b), 5_000, "the line");
});

test("a session without a path waits, keeps its streams, and goes on", () => {
  const network = new SimNetwork(8);
  const pair = new SimPair(network);
  const stream = pair.a.session.openStream("bulk");
  const transfer = new Transfer(pair.a, stream, network.random.bytes(MB));
  network.runFor(300);
  pair.setServer(false);
  network.runFor(50 * 60_000);
  pair.setServer(true);
  network.runUntil(() => pair.b.inbox(stream).isFinished, 10_000, "the rest");
  expect(transfer.hasArrived(pair.b)).toBe(true);
});

test("a session that hears nothing for an hour ends", () => {
  const network = new SimNetwork(9);
  const pair = new SimPair(network);
  network.runFor(1_000);
  pair.setServer(false);
  network.runFor(3_700_000);
  expect(pair.a.last("closed")).toMatchObject({ code: "no-path", remote: false });
  expect(pair.b.last("closed")).toMatchObject({ code: "no-path", remote: false });
  expect(pair.a.wakeAt()).toBeNull();
});

test("without relayed data the server carries frames and no stream", () => {
  const network = new SimNetwork(10);
  const pair = new SimPair(network, { session: { relayData: false } });
  const line = new Transfer(pair.a, 2, network.random.bytes(500), false);
  const candidate = { kind: "candidate", type: 0, address: Uint8Array.of(192, 168, 1, 2), port: 4_000 } as const;
  pair.a.do((session, now) => session.sendFrame(now, candidate));
  network.runFor(5_000);
  expect(pair.b.frames()).toEqual([candidate]);
  expect(pair.b.inbox(2).bytes).toBe(0);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  network.runUntil(() => line.hasArrived(pair.b), 1_000, "the line");
  cut(direct);
  const second = new Transfer(pair.a, 0, network.random.bytes(500), false);
  network.runFor(20_000);
  expect(second.hasArrived(pair.b)).toBe(false);
});

test("bad input 126: a route that swallows full datagrams is not used, one that carries 1200 bytes is", () => {
  for (const [mtu, isUsed] of [
    [1_280, true],
    [1_200, true],
    [1_199, false],
    [600, false],
  ] as const) {
    const network = new SimNetwork(11);
    const pair = new SimPair(network);
    const direct = pair.addRoute({ ...links.home, mtu });
    for (const end of [pair.a, pair.b])
      end.do((session, now) => session.probe(now, end === pair.a ? direct.fromA : direct.fromB, 1));
    const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(MB));
    network.runUntil(() => transfer.hasArrived(pair.b), 30_000, "the transfer");
    network.runFor(5_000);
    expect(selected(pair.a)).toEqual(isUsed ? direct.fromA : { kind: "server" });
    expect(pair.a.has("route-validated")).toBe(true);
    expect(pair.a.last("route-lost")?.why).toEqual(isUsed ? undefined : "it does not carry 1200 bytes");
  }
});

test("a route that stops carrying full datagrams in mid-transfer is left for one that does", () => {
  const network = new SimNetwork(14);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  const stream = pair.a.session.openStream("bulk");
  const transfer = new Transfer(pair.a, stream, network.random.bytes(3 * MB));
  network.in(300, () => {
    direct.aToB.options = { ...direct.aToB.options, mtu: 1_100 };
  });
  expect(longestStall(network, pair.b, stream, 60_000)).toBeLessThan(3_000);
  expect(transfer.hasArrived(pair.b)).toBe(true);
  expect(pair.a.last("route-lost")).toMatchObject({ why: "it does not carry 1200 bytes" });
});

test("bad input 124: what comes from a new address is answered by a challenge and at most three times its bytes", () => {
  const network = new SimNetwork(12);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  network.runFor(1_000);
  // A middle box sends everything on from a victim's address; what goes there is never answered.
  const victim: Route = { kind: "udp", socket: 1, remote: { ip: "192.0.2.66", port: 666 } };
  let [received, sent] = [0, 0];
  pair.b.tap = (bytes, to) => {
    if (to.kind === "udp" && to.remote.ip === "192.0.2.66") sent += bytes.length;
    return bytes;
  };
  pair.a.tap = (bytes, to) => {
    if (to.kind === "server") return bytes;
    const copy = bytes.slice();
    received += bytes.length;
    network.in(10, () => pair.b.receive(copy, victim));
    return null;
  };
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(MB));
  network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  expect(pair.b.events).toContainEqual({ kind: "route-seen", route: victim });
  expect(sent).toBeGreaterThan(0);
  expect(sent).toBeLessThanOrEqual(3 * received);
  expect(selected(pair.b)).not.toEqual(victim);
});

test("a peer that roams is found again on the new address", () => {
  const network = new SimNetwork(13);
  const pair = new SimPair(network);
  const first = pair.addRoute(links.home);
  pair.open(first);
  const transfer = new Transfer(pair.b, pair.b.session.openStream("bulk"), network.random.bytes(4 * MB));
  network.runFor(300);
  // a's NAT gives it another address: b's old route leads nowhere, and what a sends comes from elsewhere.
  const second = pair.addRoute(links.home);
  cut(first);
  pair.a.do((session, now) => {
    session.forget(now, first.fromA);
    session.probe(now, second.fromA, 1);
  });
  pair.b.onEvent = ((before) => (event) => {
    before?.(event);
    if (event.kind === "route-seen")
      network.in(0, () => pair.b.do((session, now) => session.probe(now, event.route, 1)));
  })(pair.b.onEvent);
  const stalledMs = longestStall(network, pair.a, transfer.stream, 60_000);
  expect(stalledMs).toBeLessThan(1_000);
  expect(selected(pair.b)).toEqual(second.fromB);
});

test("frames about candidates arrive whatever is lost", () => {
  for (const seed of seeds(20)) {
    const network = new SimNetwork(seed);
    const link: LinkOptions = { delayMs: 20, loss: 0.3 };
    const pair = new SimPair(network, { server: link });
    const sent = Array.from({ length: 12 }, (_, index) => ({
      kind: "candidate" as const,
      type: 0,
      address: Uint8Array.of(10, 0, 0, index),
      port: 5_000 + index,
    }));
    for (const frame of sent) pair.a.do((session, now) => session.sendFrame(now, frame));
    pair.a.do((session, now) => session.sendFrame(now, { kind: "candidatesEnd", generation: 1 }));
    network.runUntil(
      () => new Set(pair.b.frames().map((frame) => JSON.stringify(frame))).size === 13,
      20_000,
      "frames",
    );
  }
});

test("a proven route that must give way to others is told as lost", () => {
  const network = new SimNetwork(11);
  const pair = new SimPair(network);
  const routes = Array.from({ length: 20 }, () => pair.addRoute(links.lan));
  for (const route of routes) {
    pair.a.do((session, now) => session.probe(now, route.fromA, 1));
    network.runFor(100);
  }
  const of = (kind: "route-validated" | "route-lost") => pair.a.events.filter((event) => event.kind === kind).length;
  expect(of("route-validated")).toBe(20);
  expect(of("route-lost")).toBe(3); // 18 are kept, the server's with them
});

test("before there is a relay leg the server's TCP takes a little of a file, and all of what is said", () => {
  const network = new SimNetwork(12);
  const pair = new SimPair(network);
  for (const end of [pair.a, pair.b]) end.do((session) => session.setServerWide(false));
  const file = pair.a.session.openStream("bulk");
  const transfer = new Transfer(pair.a, file, network.random.bytes(200_000));
  network.runFor(1_000);
  const line = new Transfer(pair.a, 2, network.random.bytes(500), false);
  network.runUntil(() => line.hasArrived(pair.b), 1_000, "the line");
  const arrived = pair.b.inbox(file).bytes;
  expect(arrived).toBeGreaterThan(10_000);
  expect(arrived).toBeLessThanOrEqual(24_576 + 1_200);
  for (const end of [pair.a, pair.b]) end.do((session) => session.setServerWide(true));
  network.runUntil(() => transfer.hasArrived(pair.b), 10_000, "the file");
});
