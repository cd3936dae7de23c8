import { expect, setDefaultTimeout, test } from "bun:test";
import type { TraceEvent } from "../../src/wire/session/trace.ts";
import { pathIdAt } from "../../src/wire/packet/header.ts";
import { RELAY_TIER } from "../../src/wire/session/route-state.ts";
import { RELAY_ROUTE } from "../../src/wire/session/route.ts";
import type { SimEnd } from "./end.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair, type SimRoute } from "./pair.ts";
import { quickRekeys } from "./quick-rekeys.ts";
import { seeds } from "./seeds.ts";
import { longestStall, Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const MB = 1_000_000;
/** Over UDP both ends are as far from the server as over its TCP. */
const relayLink = { delayMs: 50, jitterMs: 2, rate: 2_500, queueBytes: 128_000 };

function cut(route: SimRoute, isDown = true): void {
  route.aToB.isDown = route.bToA.isDown = isDown;
}

const kindOn = (end: SimEnd) => end.session.stats().paths.find((path) => path.isSelected)?.route.kind;

function probe(end: SimEnd): void {
  end.do((session, now) => session.probe(now, RELAY_ROUTE, RELAY_TIER));
}

test("one full challenge and its answer put a session on the relay's UDP, with path id 2", () => {
  const network = new SimNetwork(1);
  const pair = new SimPair(network);
  pair.addRelay(relayLink);
  pair.a.isCapturing = true;
  probe(pair.a);
  network.runFor(115);
  expect(kindOn(pair.a)).toBe("relay");
  const [challenge] = pair.a.captured.filter(({ to }) => to.kind === "relay");
  expect([challenge?.bytes.length, pathIdAt(challenge?.bytes ?? new Uint8Array(), 0)]).toEqual([1_200, 0]);
  const line = new Transfer(pair.a, 2, network.random.bytes(80), false);
  network.runUntil(() => line.hasArrived(pair.b), 200, "the line");
  const last = pair.a.captured.findLast(({ to }) => to.kind === "relay");
  expect(pathIdAt(last?.bytes ?? new Uint8Array(), 0)).toBe(2);
});

for (const seed of seeds(20))
  test(`a relay over UDP that dies and returns in mid-transfer costs no byte and 3 s at most: seed ${seed}`, () => {
    const network = new SimNetwork(seed);
    const { random } = network;
    const pair = new SimPair(network, { limits: seed % 2 === 0 ? quickRekeys(random) : {} });
    const relay = pair.addRelay({ ...relayLink, loss: random.fraction() * 0.05 });
    pair.open(relay, RELAY_TIER);
    const stream = pair.a.session.openStream("bulk");
    const transfer = new Transfer(pair.a, stream, random.bytes(4 * MB));
    network.in(100 + random.fraction() * 300, () => {
      if (seed % 3 === 0) relay.aToB.isDown = true;
      else cut(relay);
    });
    network.in(4_000, () => {
      expect(kindOn(pair.a)).toBe("server");
      cut(relay, false);
      pair.open(relay, RELAY_TIER);
    });
    expect(longestStall(network, pair.b, stream, 120_000)).toBeLessThan(3_000);
    expect(transfer.hasArrived(pair.b)).toBe(true);
  });

test("a relay that returns is kept, however much was lost before on its path", () => {
  const network = new SimNetwork(2);
  const pair = new SimPair(network);
  const relay = pair.addRelay(relayLink);
  pair.open(relay, RELAY_TIER);
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(8 * MB));
  network.runFor(400);
  cut(relay);
  network.runUntil(() => pair.a.has("route-lost") && pair.b.has("route-lost"), 5_000, "the loss");
  cut(relay, false);
  const told = pair.a.events.length;
  pair.open(relay, RELAY_TIER);
  network.runUntil(() => transfer.hasArrived(pair.b), 20_000, "the transfer");
  const moves = pair.a.events
    .slice(told)
    .flatMap((event) => (event.kind === "path-selected" ? [event.route.kind] : []));
  expect(moves).toEqual(["relay"]);
});

test("packet numbers of the relay's path go on after an outage", () => {
  const network = new SimNetwork(3);
  const sent: number[] = [];
  const trace = (_: number, event: TraceEvent) => {
    if (event.kind === "packet-sent" && event.path === 2) sent.push(event.number);
  };
  const pair = new SimPair(network, { trace });
  const relay = pair.addRelay(relayLink);
  for (let round = 0; round < 3; round++) {
    pair.open(relay, RELAY_TIER);
    const line = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(20_000));
    network.runUntil(() => line.hasArrived(pair.b), 5_000, "the line");
    for (const end of [pair.a, pair.b]) end.do((session, now) => session.forget(now, RELAY_ROUTE));
    expect(kindOn(pair.a)).toBe("server");
  }
  expect(sent.length).toBeGreaterThan(50);
  expect(sent).toEqual([...new Set(sent)].toSorted((a, b) => a - b));
});

test("a direct path goes before the relay's UDP, and that before the server's TCP", () => {
  const network = new SimNetwork(4);
  const pair = new SimPair(network);
  pair.open(pair.addRelay(links.lan), RELAY_TIER);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  expect(kindOn(pair.a)).toBe("udp");
  cut(direct);
  const line = new Transfer(pair.a, 2, network.random.bytes(80), false);
  network.runUntil(() => line.hasArrived(pair.b), 1_000, "the line");
  network.runUntil(() => kindOn(pair.a) === "relay", 3_000, "the move");
});

test("where no user data may be relayed none goes over the relay's UDP either", () => {
  const network = new SimNetwork(5);
  const pair = new SimPair(network, { session: { relayData: false } });
  const relay = pair.addRelay(relayLink);
  pair.open(relay, RELAY_TIER);
  const line = new Transfer(pair.a, 2, network.random.bytes(80), false);
  network.runFor(5_000);
  expect(pair.b.inbox(2).bytes).toBe(0);
  pair.open(pair.addRoute(links.home));
  network.runUntil(() => line.hasArrived(pair.b), 1_000, "the line");
});

test("bad input 109: copies that the relay delivers when all has moved to a direct path, and is over, are dropped", () => {
  const network = new SimNetwork(6);
  const pair = new SimPair(network);
  pair.open(pair.addRelay(relayLink), RELAY_TIER);
  pair.a.isCapturing = true;
  const stream = pair.a.session.openStream("bulk");
  const transfer = new Transfer(pair.a, stream, network.random.bytes(2 * MB));
  network.runFor(300);
  pair.open(pair.addRoute(links.lan));
  network.runUntil(() => transfer.hasArrived(pair.b), 20_000, "the transfer");
  const relayed = pair.a.captured.filter(({ to }) => to.kind === "relay");
  const before = pair.b.session.stats();
  for (const { bytes } of relayed) pair.b.receive(bytes, RELAY_ROUTE);
  network.runFor(1_000);
  const after = pair.b.session.stats();
  expect(after.openedPackets - before.openedPackets).toBeLessThan(relayed.length / 2);
  expect(after.repeatedPackets - before.repeatedPackets).toBeGreaterThan(relayed.length / 2);
  expect(pair.b.inbox(stream)).toMatchObject({ bytes: 2 * MB, isFinished: true });
  expect([kindOn(pair.a), pair.a.has("closed"), pair.b.has("closed")]).toEqual(["udp", false, false]);
});
