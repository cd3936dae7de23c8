import { expect, test } from "bun:test";
import { addressKey, type UdpAddress } from "../../../../src/wire/address.ts";
import type { CandidateType } from "../../../../src/wire/traversal/candidate.ts";
import { Checks } from "../../../../src/wire/traversal/checks.ts";
import type { OwnNetwork } from "../../../../src/wire/traversal/permit.ts";

const own: OwnNetwork = {
  subnets: [{ ip: "192.168.1.5", prefix: 24 }],
  addresses: [],
  servers: [{ ip: "28.0.0.1", port: 7_420 }],
};
const reflexive: UdpAddress = { ip: "28.2.0.7", port: 50_000 };
const lan: UdpAddress = { ip: "192.168.1.9", port: 50_000 };
const elsewhere: UdpAddress = { ip: "10.0.0.9", port: 50_000 };
const global6: UdpAddress = { ip: "2001:db8:2::7", port: 50_001 };

/** Checks on a clock that jumps to their own deadlines. */
class Bench {
  readonly checks = new Checks(own);
  readonly sent: { at: number; socket: number; to: string; tier: number }[] = [];
  /** What ends on its way. */
  readonly openers: { at: number; to: string }[] = [];
  now = 0;

  constructor(sockets: readonly (4 | 6)[] = [4], hasGo = true) {
    if (hasGo) this.checks.go(0);
    for (const [socket, family] of sockets.entries()) this.checks.addLocal(0, { socket, family });
  }

  add(address: UdpAddress, type: CandidateType = "host"): this {
    this.checks.addRemote(this.now, { type, address });
    return this;
  }

  runTo(end: number): this {
    for (;;) {
      for (let probe = this.checks.pollProbe(this.now); probe !== null; probe = this.checks.pollProbe(this.now)) {
        const { socket, remote, tier, hopLimit } = probe;
        const to = addressKey(remote);
        if (hopLimit === null) this.sent.push({ at: this.now, socket, to, tier });
        else this.openers.push({ at: this.now, to });
      }
      const at = this.checks.pollTimeout() ?? Infinity;
      if (at > end) break;
      expect(at).toBeGreaterThan(this.now); // else it would spin
      this.now = at;
    }
    this.now = end;
    return this;
  }

  timesOf(address: UdpAddress, since = 0): number[] {
    return this.sent.filter(({ to, at }) => to === addressKey(address) && at >= since).map(({ at }) => at - since);
  }
}

const range = (from: number, to: number, by: number) =>
  Array.from({ length: (to - from) / by + 1 }, (_, index) => from + index * by);
const full = [...range(0, 1_000, 50), ...range(1_250, 3_000, 250), ...range(4_000, 10_000, 1_000)];
const few = [0, 100, 300, 700, 1_500, 3_000];

test("an attested address is checked every 50 ms for 1 s, every 250 ms to 3 s, every second to 10 s", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  bench.runTo(3_600_000);
  expect(full).toHaveLength(36);
  expect(bench.openers).toEqual([{ at: 0, to: addressKey(reflexive) }]);
  expect(bench.timesOf(reflexive, 50)).toEqual(full.slice(0, 35));
});

test("no check reaches a NAT before the other end has opened it, or a second has passed", () => {
  const bench = new Bench([4], false).add(lan);
  bench.checks.attested(0, [reflexive]);
  bench.runTo(400);
  expect(bench.openers).toEqual([{ at: 0, to: addressKey(reflexive) }]);
  expect(bench.timesOf(reflexive)).toEqual([]);
  expect(bench.timesOf(lan).length).toBeGreaterThan(5);
  bench.checks.go(400);
  bench.runTo(500);
  expect(bench.timesOf(reflexive)).toEqual([400, 450, 500]);
  const silent = new Bench([4], false);
  silent.checks.attested(0, [reflexive]);
  silent.runTo(1_050);
  expect(silent.timesOf(reflexive)).toEqual([1_000, 1_050]);
});

test("a check that came in is answered with one at once, opened or not", () => {
  const bench = new Bench([4], false);
  bench.checks.attested(0, [reflexive]);
  bench.runTo(10);
  bench.checks.seen(10, 0, reflexive);
  bench.runTo(10);
  expect(bench.timesOf(reflexive)).toEqual([10]);
});

test("bad input 94: an address that the server never saw gets 6 checks and then none, however often it is announced", () => {
  const bench = new Bench().add(elsewhere).runTo(20_000);
  expect(bench.timesOf(elsewhere)).toEqual(few);
  bench.add(elsewhere).add(elsewhere, "port-mapped").runTo(200_000);
  expect(bench.timesOf(elsewhere)).toEqual(few);
});

test("the peer's own global IPv6 address gets 20 checks", () => {
  const bench = new Bench([4, 6]).add(global6).runTo(60_000);
  expect(bench.timesOf(global6)).toHaveLength(20);
  expect(bench.sent.every(({ socket }) => socket === 1)).toBe(true);
});

test("new pairs begin 20 ms apart, best first, in whatever order they came", () => {
  const bench = new Bench([4, 6]);
  bench.add({ ip: "28.2.0.7", port: 50_009 }, "predicted").add(elsewhere).add(reflexive, "server-reflexive");
  bench.add({ ip: "28.2.0.7", port: 50_002 }, "port-mapped").add(global6).add(lan).runTo(100);
  const begins = new Map<string, number>();
  for (const { to, at } of bench.sent) if (!begins.has(to)) begins.set(to, at);
  expect([...begins]).toEqual([
    ["192.168.1.9:50000", 0],
    ["[2001:db8:2::7]:50001", 20],
    ["28.2.0.7:50000", 40],
    ["10.0.0.9:50000", 60],
    ["28.2.0.7:50002", 80],
    ["28.2.0.7:50009", 100],
  ]);
});

test("tiers tell the own link from the rest, and kindOf() names the path", () => {
  const bench = new Bench().add(lan).add(reflexive).runTo(50);
  expect(bench.sent.find(({ to }) => to === addressKey(lan))?.tier).toBe(0);
  expect(bench.sent.find(({ to }) => to === addressKey(reflexive))?.tier).toBe(1);
  expect(bench.checks.kindOf(0, lan)).toBe("lan");
  expect(bench.checks.kindOf(0, reflexive)).toBe("direct");
  expect(bench.checks.kindOf(0, elsewhere)).toBeNull();
});

test("attesting an address that was announced before raises it to the whole schedule", () => {
  const bench = new Bench().add(reflexive, "server-reflexive").runTo(5_000);
  expect(bench.timesOf(reflexive)).toEqual(few);
  bench.checks.attested(5_000, [reflexive]);
  bench.runTo(60_000);
  expect(bench.timesOf(reflexive).length + bench.openers.length).toBe(36);
});

test("300 ms after the first success the others stop, and a better one that came in meanwhile counts", () => {
  const bench = new Bench().add(lan).add(elsewhere);
  bench.checks.attested(0, [reflexive]);
  bench.runTo(200);
  bench.checks.validated(200, 0, reflexive);
  bench.runTo(499);
  expect(bench.timesOf(lan, 201).length).toBeGreaterThan(4);
  expect(bench.timesOf(reflexive, 201)).toEqual([]);
  bench.runTo(60_000);
  expect(bench.sent.every(({ at }) => at < 500)).toBe(true);
  expect(bench.checks.pollTimeout()).toBeNull();
});

test("once a path is settled on, only an address that promises a better one is checked", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  bench.runTo(100);
  bench.checks.validated(100, 0, reflexive);
  bench.runTo(1_000).add(elsewhere).runTo(2_000);
  expect(bench.timesOf(elsewhere)).toEqual([]);
  bench.add(lan).runTo(2_500);
  expect(bench.timesOf(lan, 2_000).length).toBeGreaterThan(5);
});

test("though a path is settled on, where the server has just seen the other end is checked", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  bench.runTo(100);
  bench.checks.validated(100, 0, reflexive);
  bench.runTo(1_000);
  const moved = { ip: "28.3.0.9", port: 4_321 };
  bench.checks.attested(1_000, [reflexive, moved]);
  bench.runTo(2_500);
  expect(bench.timesOf(moved).length).toBeGreaterThan(5);
  expect(bench.timesOf(reflexive, 1_000)).toEqual([]);
});

test("an address the other end is heard from is checked at once, in front of those that wait their turn", () => {
  const bench = new Bench().add(lan).add(reflexive).runTo(0);
  const learnt = { ip: "28.3.0.7", port: 1_234 };
  bench.checks.seen(5, 0, learnt);
  bench.now = 5;
  bench.runTo(10);
  expect(bench.sent.map(({ to, at }) => [to, at])).toEqual([
    [addressKey(lan), 0],
    [addressKey(learnt), 5],
  ]);
});

test("an address that was given up is checked once more for each packet that comes from it", () => {
  const bench = new Bench().add(elsewhere).runTo(10_000);
  expect(bench.timesOf(elsewhere)).toHaveLength(6);
  for (const at of [10_000, 11_000, 12_000]) {
    bench.now = at;
    bench.checks.seen(at, 0, elsewhere);
    bench.runTo(at + 500);
  }
  expect(bench.timesOf(elsewhere).slice(6)).toEqual([10_000, 11_000, 12_000]);
});

test("however often the other end is heard, its checks are 50 ms apart", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  for (let at = 0; at < 1_000; at++) {
    bench.now = at;
    bench.checks.seen(at, 0, reflexive);
    bench.runTo(at);
  }
  const times = bench.timesOf(reflexive);
  expect(times.length).toBeGreaterThan(15);
  for (const [index, at] of times.entries())
    if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(50);
});

test("after the last path died, its address is tried at 0, 2, 5, 10, 30 and 60 s, then every minute", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  bench.runTo(100);
  bench.checks.validated(100, 0, reflexive);
  bench.runTo(5_000);
  bench.checks.lost(5_000, 0, reflexive);
  bench.runTo(5_000 + 200_000);
  const starts = bench.timesOf(reflexive, 5_000);
  const rounds = [0, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 180_000];
  for (const round of rounds) expect(starts.filter((at) => at >= round && at <= round + 750)).toHaveLength(4);
  expect(starts.filter((at) => at > 13_000 && at < 30_000)).toEqual([]);
  expect(starts.filter((at) => at < 120_000).length).toBeLessThanOrEqual(36);
});

test("after the last path died, addresses that never answered are tried too, as far as their checks reach", () => {
  const bench = new Bench().add(elsewhere);
  bench.checks.attested(0, [reflexive]);
  bench.runTo(50);
  bench.checks.validated(50, 0, reflexive);
  bench.runTo(5_000);
  expect(bench.timesOf(elsewhere).length).toBeLessThan(6);
  bench.checks.lost(5_000, 0, reflexive);
  bench.runTo(600_000);
  expect(bench.timesOf(elsewhere)).toHaveLength(6);
});

test("a path that died beside a living one is tried again by itself", () => {
  const bench = new Bench().add(lan).add(elsewhere);
  bench.checks.attested(0, [reflexive]);
  bench.runTo(50);
  bench.checks.validated(50, 0, reflexive);
  bench.checks.validated(50, 0, lan);
  bench.runTo(5_000);
  const before = bench.timesOf(elsewhere).length;
  bench.checks.lost(5_000, 0, lan);
  bench.runTo(15_000);
  expect(bench.timesOf(lan, 5_000).slice(0, 3)).toEqual([0, 100, 300]);
  expect(bench.timesOf(reflexive, 5_000)).toEqual([]);
  expect(bench.timesOf(elsewhere)).toHaveLength(before);
  bench.checks.validated(15_000, 0, lan);
  bench.runTo(600_000);
  expect(bench.timesOf(lan, 15_001)).toEqual([]);
});

test("on another network everything is checked anew from the start", () => {
  const bench = new Bench().add(elsewhere);
  bench.checks.attested(0, [reflexive]);
  bench.runTo(20_000);
  bench.checks.restart(20_000);
  bench.runTo(200_000);
  expect(bench.timesOf(reflexive, 20_050)).toEqual(full.slice(0, 35));
  expect(bench.openers.map(({ at }) => at)).toEqual([0, 20_000]);
  expect(bench.timesOf(elsewhere, 20_000)).toEqual(few);
});

test("a program that slept through rounds does not make up for them", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  bench.runTo(100);
  bench.checks.validated(100, 0, reflexive);
  bench.checks.lost(200, 0, reflexive);
  bench.now = 3_600_000;
  bench.runTo(3_600_150);
  expect(bench.timesOf(reflexive, 3_600_050)).toEqual([0, 100]);
});

test("bad input 93: of 1 000 candidates 16 are kept, of which 12 are tried within a minute", () => {
  const bench = new Bench();
  for (let index = 0; index < 1_000; index++)
    bench.add({ ip: `28.9.${index >> 8}.${index & 255}`, port: 50_000 }).add({ ip: "28.9.0.1", port: 50_000 });
  bench.runTo(59_999);
  expect(new Set(bench.sent.map(({ to }) => to)).size).toBe(12);
  bench.runTo(3_600_000);
  expect(new Set(bench.sent.map(({ to }) => to)).size).toBe(16);
  expect(bench.sent).toHaveLength(16 * 6);
});

test("bad input 93: a socket that a search has found keeps 16 addresses, however many the other end sends from", () => {
  const bench = new Bench();
  bench.checks.attested(0, [reflexive]);
  const spare = 7;
  bench.checks.validated(0, spare, { ...reflexive, port: 50_001 });
  for (let port = 2_000; port < 4_000; port++) bench.checks.seen(0, spare, { ...reflexive, port });
  bench.runTo(20_000);
  expect(new Set(bench.sent.filter(({ socket }) => socket === spare).map(({ to }) => to)).size).toBeLessThanOrEqual(16);
  for (let port = 4_000; port < 6_000; port++) bench.checks.seen(bench.now, spare, { ...reflexive, port });
  bench.runTo(100_000);
  const tried = new Set(bench.sent.filter(({ socket }) => socket === spare).map(({ to }) => to));
  expect([...tried].some((to) => to.endsWith(":4000"))).toBe(true); // what came to nothing has made room
  expect(tried.size).toBeLessThanOrEqual(32);
  expect(bench.checks.kindOf(spare, { ...reflexive, port: 50_001 })).toBe("direct");
});

test("bad input 93: candidates that came to nothing make room, and attested ones have places of their own", () => {
  const bench = new Bench();
  for (let index = 0; index < 16; index++) bench.add({ ip: `28.9.0.${index + 1}`, port: 50_000 });
  bench.runTo(10);
  bench.add(elsewhere);
  bench.checks.attested(10, [reflexive]);
  bench.runTo(200_000);
  expect(bench.timesOf(elsewhere)).toEqual([]);
  expect(bench.timesOf(reflexive)).toHaveLength(35);
  bench.add(elsewhere).runTo(300_000);
  expect(bench.timesOf(elsewhere)).toHaveLength(6);
});

test("bad input 92: nothing is sent to forbidden places, whoever names them", () => {
  const bench = new Bench([4, 6]);
  const ips = ["127.0.0.1", "0.0.0.0", "::", "::1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "fe80::1"];
  const forbidden: UdpAddress[] = ips.map((ip) => ({ ip, port: 50_000 }));
  forbidden.push({ ip: "28.0.0.1", port: 7_420 }, { ip: "28.2.0.7", port: 0 }, { ip: "192.168.1.255", port: 50_000 });
  for (const address of forbidden) {
    bench.add(address);
    bench.checks.seen(0, 0, address);
    bench.checks.validated(0, 0, address);
    bench.checks.lost(0, 0, address);
  }
  bench.checks.attested(0, forbidden);
  bench.checks.restart(0);
  bench.runTo(120_000);
  expect(bench.sent).toEqual([]);
});

test("what turns out to be oneself is not checked any more", () => {
  const bench = new Bench().add(elsewhere).runTo(100);
  expect(bench.timesOf(elsewhere)).toHaveLength(2);
  bench.checks.setOwn(100, { ...own, addresses: [elsewhere] });
  bench.runTo(60_000);
  expect(bench.timesOf(elsewhere)).toHaveLength(2);
});
