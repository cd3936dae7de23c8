import { expect, test } from "bun:test";
import fc from "fast-check";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { decodeRequest, encodeReply } from "../../../../src/wire/messages/discovery.ts";
import { Gatherer, type GatherEvent } from "../../../../src/wire/traversal/gather.ts";
import { Responder, type Observed } from "../../../../src/wire/traversal/responder.ts";
import { deriveTicketKeys, withMac } from "../../../../src/wire/traversal/ticket-keys.ts";

const servers: readonly UdpAddress[] = [
  { ip: "28.0.0.1", port: 7_420 },
  { ip: "28.0.0.1", port: 7_421 },
  { ip: "2001:db8::1", port: 7_420 },
  { ip: "2001:db8::1", port: 7_421 },
];
const sockets = [
  { socket: 0, family: 4 },
  { socket: 1, family: 6 },
] as const;
const [first] = servers;

function seededRandom(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) => Uint8Array.from({ length }, () => (state = (state * 1_103_515_245 + 12_345) & 0x7fff_ffff) >> 16);
}

/** A gatherer and a real responder with a NAT between them, on one clock; 20 ms each way. */
class Net {
  readonly responder = new Responder({ random: seededRandom(1) });
  readonly gatherer = new Gatherer({ random: seededRandom(2) });
  readonly events: (GatherEvent & { at: number })[] = [];
  readonly asked: { at: number; socket: number; remote: UdpAddress }[] = [];
  readonly observed: Observed[] = [];
  now = 0;
  /** Where the server sees a socket. */
  nat: (socket: number, remote: UdpAddress) => UdpAddress = (socket) =>
    socket === 0 ? { ip: "28.1.0.7", port: 40_000 } : { ip: "2001:db8:1::7", port: 40_001 };
  isLost: (remote: UdpAddress) => boolean = () => false;
  #inFlight: { at: number; run: () => void }[] = [];

  start(ticket = this.responder.issue(this.now, "28.1.0.7")): void {
    this.gatherer.start(this.now, ticket, sockets, servers);
    this.#drain();
  }

  runTo(end: number): void {
    for (;;) {
      const next = this.#inFlight.toSorted((a, b) => a.at - b.at)[0];
      const at = Math.min(next?.at ?? Infinity, this.gatherer.pollTimeout() ?? Infinity);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (next !== undefined && next.at <= this.now) {
        this.#inFlight = this.#inFlight.filter((each) => each !== next);
        next.run();
      } else this.gatherer.handleTimeout(this.now);
      this.#drain();
    }
    this.now = end;
  }

  #drain(): void {
    for (let event = this.gatherer.pollEvent(); event !== null; event = this.gatherer.pollEvent())
      this.events.push({ ...event, at: this.now });
    for (let out = this.gatherer.pollTransmit(this.now); out !== null; out = this.gatherer.pollTransmit(this.now)) {
      const { bytes, to } = out;
      this.asked.push({ at: this.now, ...to });
      if (!this.isLost(to.remote)) this.#inFlight.push({ at: this.now + 20, run: () => this.#serve(bytes, to) });
    }
  }

  #serve(bytes: Uint8Array, to: { socket: number; remote: UdpAddress }): void {
    const listener = to.remote.port - 7_420;
    const answer = this.responder.handleDatagram(this.now, bytes, this.nat(to.socket, to.remote), listener);
    if (answer === null) return;
    this.observed.push(answer.observed);
    this.#inFlight.push({
      at: this.now + 20,
      run: () => this.gatherer.handleDatagram(this.now, answer.reply, to),
    });
  }
}

const blocked = (net: Net) => net.events.filter((event) => event.kind === "blocked");
const mappings = (net: Net) => net.events.flatMap((event) => (event.kind === "mapping" ? [event.mapping] : []));
const reflexives = (net: Net) => net.events.filter((event) => event.kind === "reflexive");

test("each socket learns within a round trip where each port of the server sees it", () => {
  const net = new Net();
  net.start();
  net.runTo(40);
  expect(net.asked).toHaveLength(4);
  expect(reflexives(net)).toEqual(
    [0, 1].flatMap((socket) =>
      [0, 1].map((listener) => ({
        kind: "reflexive" as const,
        socket,
        address: net.nat(socket, servers[0] ?? { ip: "", port: 0 }),
        listener,
        at: 40,
      })),
    ),
  );
  expect(net.observed).toHaveLength(4);
  net.runTo(600_000);
  expect(net.asked).toHaveLength(4);
  expect(net.gatherer.pollTimeout()).toBeNull();
});

test("a NAT that maps by destination shows as different addresses for the two ports", () => {
  const net = new Net();
  net.nat = (_, remote) => ({ ip: "28.1.0.7", port: 50_000 + (remote.port % 10) });
  net.gatherer.start(0, net.responder.issue(0, "28.1.0.7"), [{ socket: 0, family: 4 }], servers);
  net.runTo(100);
  expect(reflexives(net).map(({ address, listener }) => [listener, address.port])).toEqual([
    [0, 50_000],
    [1, 50_001],
  ]);
});

test("what is lost is asked again at 100, 200, 400 and 800 ms, and 1.5 s of silence mean blocked", () => {
  const net = new Net();
  net.isLost = () => true;
  net.start();
  net.runTo(1_600);
  const times = net.asked.filter(({ remote }) => remote === first).map(({ at }) => at);
  expect(times).toEqual([0, 100, 200, 400, 800]);
  expect(blocked(net)).toEqual([
    { kind: "blocked", socket: 0, at: 1_500 },
    { kind: "blocked", socket: 1, at: 1_500 },
  ]);
  expect(mappings(net)).toEqual([{ kind: "blocked", step: 0 }]);
});

test("a blocked socket is tried again after 10 s and then every minute, and heard when it opens", () => {
  const net = new Net();
  net.isLost = () => true;
  net.start();
  net.runTo(140_000);
  const rounds = net.asked.filter(
    ({ at, remote }, index) => remote === first && (net.asked[index - 1]?.at ?? -1e9) < at - 1_000,
  );
  expect(rounds.map(({ at }) => at)).toEqual([0, 11_500, 73_000, 134_500]);
  expect(blocked(net)).toHaveLength(2);
  net.isLost = ({ ip }) => ip.includes(":");
  net.runTo(260_000);
  expect(reflexives(net).map(({ socket, at }) => [socket, at])).toEqual([
    [0, 196_040],
    [0, 196_040],
  ]);
});

test("one silent port beside one that answers is no blockade", () => {
  const net = new Net();
  net.isLost = ({ port }) => port === 7_421;
  net.start();
  net.runTo(100_000);
  expect(net.events.map(({ kind }) => kind)).toEqual(["reflexive", "reflexive"]);
});

test("while it is wanted, the mapping is refreshed every 15 s ± 20 %", () => {
  const net = new Net();
  net.gatherer.setKeepalive(0, true);
  net.start();
  net.runTo(300_000);
  const times = net.asked.filter(({ socket, at }) => socket === 0 && at > 1_000).map(({ at }) => at);
  expect(times.length).toBeGreaterThanOrEqual(16);
  for (const [index, at] of times.entries()) {
    const gap = at - (times[index - 1] ?? 40);
    expect(gap).toBeGreaterThanOrEqual(12_000);
    expect(gap).toBeLessThanOrEqual(18_040);
  }
  expect(reflexives(net)).toHaveLength(4);
  net.gatherer.setKeepalive(net.now, false);
  const before = net.asked.length;
  net.runTo(600_000);
  expect(net.asked).toHaveLength(before);
});

test("a mapping that changed is told with the next keepalive", () => {
  const net = new Net();
  net.gatherer.setKeepalive(0, true);
  net.start();
  net.runTo(1_000);
  const moved = { ip: "28.1.0.7", port: 41_111 };
  const before = net.nat;
  net.nat = (socket, remote) => (socket === 0 ? moved : before(socket, remote));
  net.runTo(20_000);
  expect(
    reflexives(net)
      .slice(4)
      .map(({ socket, address }) => ({ socket, address })),
  ).toEqual([
    { socket: 0, address: moved },
    { socket: 0, address: moved },
  ]);
  expect(mappings(net)).toEqual([{ kind: "independent", step: 0 }]);
});

test("after an address changed on the same network, keepalives come every 7 s ± 20 %, until the next start", () => {
  const net = new Net();
  net.gatherer.setKeepalive(0, true);
  net.start();
  net.runTo(1_000);
  net.nat = () => ({ ip: "28.1.0.7", port: 41_111 });
  net.runTo(100_000);
  const since = (start: number) => net.asked.filter(({ socket, at }) => socket === 0 && at > start).map(({ at }) => at);
  expect(since(30_000).length).toBeGreaterThanOrEqual(8);
  net.start();
  net.runTo(101_000);
  net.runTo(200_000);
  expect(since(101_000).length).toBeLessThanOrEqual(9);
});

test("refresh() asks all ports at once, unless they are being asked", () => {
  const net = new Net();
  net.start();
  net.gatherer.refresh(0);
  net.runTo(1_000);
  expect(net.asked).toHaveLength(4);
  const moved = { ip: "28.1.0.9", port: 41_111 };
  net.nat = () => moved;
  net.gatherer.refresh(net.now);
  net.runTo(2_000);
  expect(net.asked).toHaveLength(8);
  expect(
    reflexives(net)
      .slice(4)
      .map(({ socket, address }) => [socket, address]),
  ).toEqual([0, 0, 1, 1].map((socket) => [socket, moved]));
});

test("a keepalive without answer is repeated after 1 and 2 s, then everything is asked anew", () => {
  const net = new Net();
  net.gatherer.setKeepalive(0, true);
  net.start();
  net.runTo(1_000);
  net.isLost = () => true;
  net.runTo(30_000);
  const times = net.asked.filter(({ socket, at }) => socket === 0 && at > 1_000).map(({ at }) => at);
  const [start = 0] = times;
  const again = [3_500, 3_600, 3_700, 3_900, 4_300].flatMap((at) => [at, at]);
  expect(times.map((at) => Math.round(at - start))).toEqual([0, 1_000, 2_000, ...again]);
  const silent = blocked(net).filter(({ socket }) => socket === 0);
  expect(silent.map(({ at }) => Math.round(at - start))).toEqual([5_000]);
});

test("renew() asks under the new ticket from the next question on", () => {
  const net = new Net();
  net.gatherer.setKeepalive(0, true);
  const old = net.responder.issue(0, "28.1.0.7");
  net.start(old);
  net.runTo(1_000);
  net.responder.revoke(old);
  const fresh = net.responder.issue(net.now, "28.1.0.7");
  net.gatherer.renew(fresh);
  net.runTo(20_000);
  expect(net.observed.slice(4).map(({ ticket }) => ticket)).toEqual([fresh, fresh]);
  expect(net.events.filter(({ kind }) => kind === "blocked")).toEqual([]);
});

test("start() tells everything again, even what has not changed", () => {
  const net = new Net();
  net.start();
  net.runTo(1_000);
  net.start();
  net.runTo(2_000);
  expect(reflexives(net)).toHaveLength(8);
});

test("stop() asks and tells nothing more", () => {
  const net = new Net();
  net.start();
  net.gatherer.stop();
  net.runTo(10_000);
  expect(net.events).toEqual([]);
  expect(net.gatherer.pollTimeout()).toBeNull();
});

/** One question under a ticket known to the test, and the ways to answer it. */
function setUpQuestion() {
  const gatherer = new Gatherer({ random: seededRandom(3) });
  const ticket = { id: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(2) };
  gatherer.start(0, ticket, [{ socket: 0, family: 4 }], servers.slice(0, 1));
  const question = gatherer.pollTransmit(0);
  const txid = decodeRequest(question?.bytes ?? new Uint8Array())?.txid ?? new Uint8Array();
  const keys = deriveTicketKeys(ticket.key);
  const answer = (ip = "28.1.0.7", key = keys.reply, id = ticket.id, tx = txid) =>
    withMac(key, encodeReply({ ticketId: id, txid: tx, address: { ip, port: 40_000 }, listener: 0 }));
  const from = { socket: 0, remote: { ip: "28.0.0.1", port: 7_420 } };
  return { gatherer, keys, answer, from, question: question?.bytes ?? new Uint8Array() };
}

test("only the port that was asked can answer, on the socket that asked, once, under the right key", () => {
  const { gatherer, keys, answer, from, question } = setUpQuestion();
  const other = new Uint8Array(16).fill(9);
  gatherer.handleDatagram(1, answer(), { ...from, socket: 1 });
  gatherer.handleDatagram(1, answer(), { ...from, remote: { ip: "28.0.0.1", port: 7_421 } });
  gatherer.handleDatagram(1, answer(), { ...from, remote: { ip: "28.0.0.2", port: 7_420 } });
  gatherer.handleDatagram(1, answer("28.1.0.7", keys.request), from);
  gatherer.handleDatagram(1, answer("28.1.0.7", keys.reply, other), from);
  gatherer.handleDatagram(1, answer("28.1.0.7", keys.reply, undefined, other.subarray(0, 12)), from);
  gatherer.handleDatagram(1, question, from);
  expect(gatherer.pollEvent()).toBeNull();
  gatherer.handleDatagram(1, answer(), from);
  expect(gatherer.pollEvent()).not.toBeNull();
  gatherer.handleDatagram(1, answer("28.1.0.8"), from);
  expect(gatherer.pollEvent()).toBeNull();
});

test("a server that names an address that is none is not repeated", () => {
  for (const ip of ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"]) {
    const { gatherer, answer, from } = setUpQuestion();
    gatherer.handleDatagram(1, answer(ip), from);
    expect(gatherer.pollEvent()).toBeNull();
  }
});

test("handleDatagram() survives anything and believes none of it", () => {
  const { gatherer, answer, from } = setUpQuestion();
  const good = answer();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(71), fc.integer({ min: 1, max: 255 }), (noise, at, flip) => {
      gatherer.handleDatagram(1, noise, from);
      gatherer.handleDatagram(1, good.with(at, (good[at] ?? 0) ^ flip), from);
      expect(gatherer.pollEvent()).toBeNull();
    }),
  );
});

/** A NAT with a new port for each socket and destination, `next` after the one before. */
function symmetric(next: (port: number) => number): Net["nat"] {
  const ports = new Map<string, number>();
  let last = 40_000;
  return (socket, remote) => {
    const key = `${socket} ${remote.ip} ${remote.port}`;
    const port = ports.get(key) ?? (last = next(last));
    ports.set(key, port);
    return { ip: "28.1.0.7", port };
  };
}

function judge(net: Net): void {
  net.start();
  net.runTo(100);
  const wanted = net.events.find((event) => event.kind === "sockets-wanted");
  expect(wanted).toMatchObject({ count: 4 });
  net.gatherer.judge(net.now, [10, 11, 12, 13]);
  net.runTo(1_000);
}

test("a NAT in front that gives each destination a port is judged by four more sockets, 5 ms apart", () => {
  const net = new Net();
  net.nat = symmetric((port) => port + 2);
  judge(net);
  const surveyed = net.asked.filter(({ socket }) => socket >= 10);
  expect(surveyed.map(({ socket, at }) => [socket, at])).toEqual(
    [10, 11, 12, 13].map((socket, n) => [socket, 100 + 5 * n]),
  );
  expect(net.events.find((event) => event.kind === "surveyed")).toMatchObject({
    sockets: [10, 11, 12, 13],
    addresses: [4, 5, 6, 7].map((n) => ({ ip: "28.1.0.7", port: 40_002 + 2 * n })),
  });
  expect(mappings(net)).toEqual([{ kind: "sequential", step: 2 }]);
});

test("a survey of which one answer is lost for good ends after half a second, with a gap", () => {
  const net = new Net();
  net.nat = symmetric((port) => port + 1);
  net.isLost = () => net.asked.at(-1)?.socket === 12;
  judge(net);
  const surveyed = net.events.find((event) => event.kind === "surveyed");
  expect(surveyed).toMatchObject({ at: 615 });
  expect(surveyed?.kind === "surveyed" && surveyed.addresses.map((address) => address === null)).toEqual([
    false,
    false,
    true,
    false,
  ]);
  expect(mappings(net)).toEqual([{ kind: "sequential", step: 1 }]);
});

test("sockets are wanted once for a NAT, and again when it gives another address", () => {
  const net = new Net();
  net.nat = symmetric((port) => port + 1);
  net.gatherer.setKeepalive(0, true);
  judge(net);
  net.runTo(60_000);
  const wanted = () => net.events.filter((event) => event.kind === "sockets-wanted").length;
  expect(wanted()).toBe(1);
  net.nat = symmetric((port) => port + 700);
  net.runTo(90_000);
  expect(wanted()).toBe(2);
});

test("what a survey has found by the time everything is asked anew is told", () => {
  const net = new Net();
  net.start();
  net.runTo(100);
  net.gatherer.survey(net.now, [20, 21]);
  net.runTo(110);
  net.start();
  expect(net.events.findLast(({ kind }) => kind === "surveyed")).toMatchObject({
    sockets: [20, 21],
    addresses: [null, null],
  });
});

test("survey() without a server to ask comes back with nothing", () => {
  const gatherer = new Gatherer({ random: seededRandom(3) });
  gatherer.survey(0, [4, 5]);
  expect(gatherer.pollEvent()).toEqual({ kind: "surveyed", sockets: [4, 5], addresses: [null, null] });
});

test("how a NAT maps is unknown on another network until it is seen, and where one port alone answers", () => {
  const net = new Net();
  net.nat = symmetric((port) => port + 2);
  judge(net);
  net.nat = () => ({ ip: "28.7.0.7", port: 5_555 });
  net.isLost = ({ port }) => port === 7_421;
  net.start();
  net.runTo(60_000);
  expect(mappings(net).map(({ kind }) => kind)).toEqual(["sequential", "unknown"]);
});

test("a NAT is blocked no longer once one port answers", () => {
  const net = new Net();
  net.isLost = () => true;
  net.start();
  net.runTo(5_000);
  net.isLost = ({ port }) => port === 7_421;
  net.runTo(60_000);
  expect(mappings(net).map(({ kind }) => kind)).toEqual(["blocked", "unknown"]);
});

test("a NAT is judged again after an outage", () => {
  const net = new Net();
  net.nat = symmetric((port) => port + 2);
  net.gatherer.setKeepalive(0, true);
  judge(net);
  net.isLost = () => true;
  net.runTo(30_000);
  net.isLost = () => false;
  const wanted = net.events.length;
  net.runTo(130_000);
  expect(net.events.slice(wanted).some(({ kind }) => kind === "sockets-wanted")).toBe(true);
  net.gatherer.judge(net.now, [20, 21, 22, 23]);
  net.runTo(131_000);
  expect(mappings(net).map(({ kind }) => kind)).toEqual(["sequential", "blocked", "sequential"]);
});
