import { expect, test } from "bun:test";
import { parseIp, type UdpAddress } from "../../../../src/wire/address.ts";
import type { Mapping, MappingKind } from "../../../../src/wire/traversal/mapping.ts";
import { searches, type Search } from "../../../../src/wire/traversal/punch-plan.ts";
import { Puncher, type PunchEvent, type SeekMe } from "../../../../src/wire/traversal/puncher.ts";
import { SearchTurn } from "../../../../src/wire/traversal/search-turn.ts";
import { Seeded } from "../../../sim/seeded.ts";

const target: UdpAddress = { ip: "28.2.0.7", port: 50_000 };
const seenAt: UdpAddress = { ip: "28.1.0.7", port: 40_000 };
const theirIp = "28.2.0.7";
const MAIN = 0;

const mapping = (kind: MappingKind): Mapping => ({ kind, step: kind === "sequential" ? 2 : 0 });

interface Sent {
  readonly at: number;
  readonly socket: number;
  readonly remote: UdpAddress;
  readonly isOpener: boolean;
}

/** A puncher on a clock that jumps to its own deadlines; sockets are opened 10 ms after they are wanted. */
class Bench {
  readonly puncher: Puncher;
  readonly sent: Sent[] = [];
  readonly said: (SeekMe & { at: number })[] = [];
  readonly open = new Set<number>();
  mostOpen = 0;
  now = 0;
  /** Where the server sees the next socket that asks. */
  nextPort = 40_002;
  /** How many sockets the system gives at most. */
  room = 1_000;
  #nextSocket = 10;
  #opening: { at: number; count: number; surveyed: number }[] = [];

  constructor(own: MappingKind, theirs: MappingKind, turn = new SearchTurn()) {
    this.puncher = new Puncher({ random: new Seeded(1).bytes, turn });
    this.puncher.setMain(MAIN);
    this.puncher.setOwn(mapping(own), seenAt);
    this.puncher.setTheirs(mapping(theirs));
    this.puncher.setTarget(0, target);
    this.puncher.begin(0);
  }

  runTo(end: number): this {
    for (;;) {
      this.#drain();
      const at = Math.min(this.puncher.dueAt, ...this.#opening.map((each) => each.at));
      if (at > end) break;
      expect(at).toBeGreaterThan(this.now); // else it would spin
      this.now = at;
      this.#openDue();
    }
    this.now = end;
    return this;
  }

  seekMe(how: Search, ports: readonly number[], { round = 1, ip = theirIp, attested = theirIp } = {}): void {
    const address = parseIp(ip) ?? new Uint8Array(0);
    const frame: SeekMe = { kind: "seekMe", round, how: searches.indexOf(how), address, ports };
    this.puncher.heard(this.now, frame, (each) => each === attested);
  }

  #drain(): void {
    for (let probe = this.puncher.pollProbe(this.now); probe !== null; probe = this.puncher.pollProbe(this.now)) {
      const { socket, remote, hopLimit } = probe;
      this.sent.push({ at: this.now, socket, remote, isOpener: hopLimit !== null });
    }
    for (let event = this.puncher.pollEvent(); event !== null; event = this.puncher.pollEvent()) this.#handle(event);
  }

  #handle(event: PunchEvent): void {
    if (event.kind === "say") this.said.push({ ...event.frame, at: this.now });
    else if (event.kind === "sockets-unwanted")
      for (const socket of event.sockets) expect(this.open.delete(socket)).toBe(true);
    else this.#opening.push({ at: this.now + 10, count: Math.min(this.room, event.sockets), surveyed: event.surveyed });
  }

  #openDue(): void {
    for (const { count, surveyed } of this.#opening.filter(({ at }) => at <= this.now)) {
      const sockets = Array.from({ length: count }, () => this.#nextSocket++);
      for (const socket of sockets) this.open.add(socket);
      this.mostOpen = Math.max(this.mostOpen, this.open.size);
      const seen = sockets.slice(0, surveyed).map(() => ({ ip: seenAt.ip, port: (this.nextPort += 2) }));
      this.puncher.socketsOpened(this.now, sockets, seen);
    }
    this.#opening = this.#opening.filter(({ at }) => at > this.now);
  }
}

test("a sequential NAT's next ports are told in three rounds, each from a new socket that opens at once and checks later", () => {
  const bench = new Bench("sequential", "independent").runTo(5_000);
  expect(bench.said.map(({ round, how, at }) => [round, how, at])).toEqual([
    [1, 0, 410],
    [2, 0, 1_120],
    [3, 0, 1_830],
  ]);
  expect(bench.said[0]?.ports).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => 40_004 + 2 * n));
  expect(bench.sent.slice(0, 2)).toEqual([
    { at: 410, socket: 10, remote: target, isOpener: true },
    { at: 810, socket: 10, remote: target, isOpener: false },
  ]);
  expect(new Set(bench.sent.map(({ socket }) => socket))).toEqual(new Set([10, 11, 12]));
  expect(bench.open.size).toBe(0);
});

test("behind a random NAT 256 sockets open within a second, 4 ms apart, and arrive 5 s later", () => {
  const bench = new Bench("random", "independent").runTo(9_000);
  expect(bench.said).toMatchObject([{ how: 2, ports: [] }]);
  const [openers, others] = [
    bench.sent.filter(({ isOpener }) => isOpener),
    bench.sent.filter(({ isOpener }) => !isOpener),
  ];
  expect(openers.map(({ at }) => at)).toEqual(Array.from({ length: 256 }, (_, n) => 410 + 4 * n));
  expect(new Set(openers.map(({ socket }) => socket)).size).toBe(256);
  expect(others).toHaveLength(256);
  expect(others[0]?.at).toBe(5_410);
  expect(bench.sent.every(({ remote }) => remote === target)).toBe(true);
});

test("behind a block 16 sockets open, of which six ask the server", () => {
  const bench = new Bench("block", "independent").runTo(1_000);
  expect(bench.said).toMatchObject([{ how: 1, ports: [1, 2, 3, 4, 5, 6].map((n) => 40_002 + 2 * n) }]);
  expect(bench.sent).toHaveLength(16);
});

test("without success there are two series, a minute apart, until a network changes", () => {
  const bench = new Bench("random", "independent").runTo(3_600_000);
  expect(bench.said.map(({ at }) => Math.round(at / 1_000))).toEqual([0, 70]);
  expect(bench.open.size).toBe(0);
  bench.puncher.setTarget(bench.now, { ip: "28.9.0.7", port: 50_000 });
  bench.runTo(3_601_000);
  expect(bench.said).toHaveLength(3);
  bench.puncher.renew(bench.now);
  bench.runTo(3_610_000);
  expect(bench.said).toHaveLength(3); // 20 s have not passed
  bench.runTo(3_625_000);
  expect(bench.said).toHaveLength(4);
});

test("one session of a program searches at a time", () => {
  const turn = new SearchTurn();
  const [one, two] = [new Bench("random", "independent", turn), new Bench("random", "independent", turn)];
  for (let at = 0; at <= 25_000; at += 100) for (const bench of [one, two]) bench.runTo(at);
  const [first, second] = [one.said[0]?.at ?? 0, two.said[0]?.at ?? 0];
  expect(second - first).toBeGreaterThanOrEqual(10_000);
  expect(second - first).toBeLessThan(12_000);
});

test("once a path is found the socket it uses stays, the others go, and nothing more is sent", () => {
  const bench = new Bench("random", "independent").runTo(2_000);
  const count = bench.sent.length;
  bench.puncher.found(2_000, new Set([77]));
  bench.runTo(3_600_000);
  expect([...bench.open]).toEqual([77]);
  expect(bench.sent).toHaveLength(count);
});

test("a path found while sockets are being opened lets all of them go", () => {
  const bench = new Bench("random", "independent").runTo(405);
  bench.puncher.found(405, new Set());
  bench.runTo(60_000);
  expect(bench.mostOpen).toBe(256);
  expect([bench.open.size, bench.sent.length, bench.said.length]).toEqual([0, 0, 0]);
});

test("a system without sockets to spare costs nothing, and leaves the turn to others", () => {
  const turn = new SearchTurn();
  const bench = new Bench("sequential", "independent", turn);
  bench.room = 0;
  bench.runTo(1_000);
  expect([bench.said.length, bench.sent.length, turn.take({})]).toEqual([0, 0, true]);
  expect(bench.runTo(300_000).said).toEqual([]);
});

test("a session that ends in the middle of a search leaves the turn to others", () => {
  const turn = new SearchTurn();
  const bench = new Bench("random", "independent", turn).runTo(2_000);
  expect(turn.take({})).toBe(false);
  bench.puncher.stop();
  expect([turn.take({}), bench.puncher.dueAt]).toEqual([true, Infinity]);
});

test("bad input 94: six long searches go to one address in ten minutes, whichever sessions want them", () => {
  const turn = new SearchTurn();
  const sent: number[] = [];
  for (let session = 0; session < 40; session++) {
    const bench = new Bench("independent", "random", turn);
    bench.now = 15_000 * session;
    bench.puncher.setTarget(bench.now, { ip: theirIp, port: 50_000 + session });
    bench.seekMe("birthday", []);
    bench.runTo(15_000 * (session + 1) - 1);
    bench.puncher.stop();
    sent.push(bench.sent.length);
  }
  expect(sent.filter((count) => count > 0)).toEqual(Array<number>(6).fill(1_150));
});

test("bad input 94: an end that wanders has no more foretold ports searched than others", () => {
  const bench = new Bench("independent", "sequential").runTo(1_000);
  for (let step = 1; step < 2_950; step++) {
    const ip = step % 20 < 10 ? theirIp : "28.2.0.8";
    bench.puncher.setTarget(bench.now, { ip, port: 50_000 });
    bench.seekMe(
      "predict",
      Array.from({ length: 16 }, (_, n) => 5_000 + n),
      { round: step, ip, attested: ip },
    );
    bench.runTo(1_000 + 200 * step);
  }
  expect(bench.sent.length).toBeLessThanOrEqual(2 * 7_200);
});

test("bad input 94: an end that wanders between addresses gets no more of them", () => {
  const bench = new Bench("independent", "random").runTo(1_000);
  for (let second = 1; second < 590; second++) {
    const ip = second % 20 < 10 ? theirIp : "28.2.0.8";
    bench.puncher.setTarget(bench.now, { ip, port: 50_000 });
    bench.seekMe("birthday", [], { round: second, ip, attested: ip });
    bench.runTo(1_000 + 1_000 * second);
  }
  expect(bench.sent.length).toBeLessThanOrEqual(2 * 6 * 1_150);
});

test("the easy end opens nothing, and searches from its main socket where the other one asks it to", () => {
  const bench = new Bench("independent", "random").runTo(1_000);
  expect(bench.sent).toEqual([]);
  bench.seekMe("birthday", []);
  bench.runTo(20_000);
  expect(bench.sent).toHaveLength(1_150);
  expect(
    bench.sent.every(({ socket, remote, isOpener }) => socket === MAIN && remote.ip === theirIp && !isOpener),
  ).toBe(true);
});

test("bad input 94: no search goes to an address at which the server never saw the other end", () => {
  const bench = new Bench("independent", "random").runTo(1_000);
  bench.seekMe("birthday", [], { ip: "28.66.0.1" });
  bench.seekMe("window", [1, 2], { ip: "2001:db8::1", attested: "2001:db8::1" });
  bench.seekMe("predict", []);
  bench.runTo(60_000);
  expect(bench.sent).toEqual([]);
});

test("bad input 94: however often the other end asks, there are two series of searches", () => {
  const bench = new Bench("independent", "random").runTo(1_000);
  for (let round = 1; round <= 200; round++) {
    bench.seekMe("birthday", [], { round });
    bench.runTo(1_000 + 1_000 * round);
  }
  expect(bench.sent.length).toBeLessThanOrEqual(2 * 1_150);
});

test("bad input 94: 20 s pass between two long searches for one peer, also where a path was found in between", () => {
  const bench = new Bench("independent", "random").runTo(1_000);
  for (let round = 1; round <= 60; round++) {
    bench.seekMe("birthday", [], { round });
    bench.runTo(1_000 + 1_000 * round);
    bench.puncher.found(bench.now, new Set());
    bench.puncher.begin(bench.now);
  }
  const begins = bench.sent.filter(({ at }, index) => index === 0 || at - (bench.sent[index - 1]?.at ?? 0) > 100);
  expect(begins.length).toBeGreaterThan(1);
  for (const [index, { at }] of begins.entries())
    if (index > 0) expect(at - (begins[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(20_000);
});

test("bad input 94: ports of services are not searched, whoever foretells them", () => {
  const bench = new Bench("independent", "sequential").runTo(1_000);
  bench.seekMe("predict", [0, 22, 53, 443, 1_023, 1_024, 5_000]);
  bench.runTo(5_000);
  expect(new Set(bench.sent.map(({ remote }) => remote.port))).toEqual(new Set([1_024, 5_000]));
});

test("two sequential NATs: a round that is far ahead is made up", () => {
  const bench = new Bench("sequential", "sequential").runTo(450);
  bench.seekMe("predict", [6_001], { round: 0xffff_ffff });
  bench.runTo(60_000);
  expect(bench.said.map(({ round }) => round)).toEqual([1, 2, 3]);
  expect(bench.sent).toEqual([]);
});

test("a wish that waits for its turn is forgotten after 8 s", () => {
  const turn = new SearchTurn();
  turn.take({});
  const bench = new Bench("independent", "random", turn).runTo(1_000);
  bench.seekMe("birthday", []);
  bench.runTo(60_000);
  expect([bench.sent.length, bench.puncher.dueAt]).toEqual([0, Infinity]);
});

test("a wish that comes before the word of the NAT is kept for it", () => {
  const bench = new Bench("independent", "unknown").runTo(1_000);
  bench.seekMe("birthday", []);
  bench.runTo(2_000);
  expect(bench.sent).toEqual([]);
  bench.puncher.setTheirs(mapping("random"));
  bench.runTo(2_100);
  expect(bench.sent.length).toBeGreaterThan(10);
});

test("two sequential NATs: nothing goes out before the other's ports of the same round are known, then the n-th to the n-th", () => {
  const bench = new Bench("sequential", "sequential").runTo(450);
  expect(bench.said).toHaveLength(1);
  expect(bench.sent).toEqual([]);
  bench.seekMe("predict", [6_001, 6_002, 6_003]);
  bench.runTo(520);
  expect(bench.sent.map(({ socket, remote, isOpener }) => [socket, remote.port, isOpener])).toEqual([
    [10, 6_001, true],
    [10, 6_002, true],
    [10, 6_003, true],
    [10, 6_001, false],
    [10, 6_002, false],
    [10, 6_003, false],
  ]);
});

test("two sequential NATs: an end that is a round behind goes on with the other's", () => {
  const bench = new Bench("sequential", "sequential").runTo(450);
  bench.seekMe("predict", [6_001], { round: 2 });
  bench.runTo(500);
  expect(bench.said.map(({ round }) => round)).toEqual([1, 2]);
  expect(bench.sent.map(({ socket, remote }) => [socket, remote.port])).toEqual([[11, 6_001]]);
  expect([...bench.open]).toEqual([11]);
});
