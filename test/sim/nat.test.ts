import { describe, expect, test } from "bun:test";
import type { UdpAddress } from "../../src/wire/address.ts";
import type { NatKind } from "./nat-kinds.ts";
import { addMirror, type Manner, MIRROR, punch, Puncher } from "./nat-punch.ts";
import { type NatSide, NatWorld, type Neighbourhood, type SideOptions } from "./nat-world.ts";
import { SimNetwork } from "./network.ts";

const KINDS = [
  ...(["none", "publicfw", "fullcone", "arcone", "cone", "cone-remap", "cone-open", "symmetric"] as const),
  ...(["symmetric-seq", "symmetric-block", "symmetric-pool", "cgnat", "cgnat-symmetric", "udpblocked"] as const),
] satisfies readonly NatKind[];

/**
 * What the laboratory's networks let through, measured there with plain sockets, by row and column of {@link KINDS}. S: both send to the
 * announced address alone. L: and to addresses they are heard from. T: as L, but the column's side starts a second late. O: as L, behind
 * an opener each. S and L of `cone-open` change there from run to run: who is first decides.
 */
const MEASURED = `
  SLTO SLTO SLTO SLTO SLTO SLTO SLTO .LTO .LTO .LTO .LTO SLTO .LTO ....
       SLTO SLTO SLTO SLTO SLTO .L.O .... .... .... .... SLTO .... ....
            SLTO SLTO SLTO SLTO .LTO .LTO .LTO .LTO .LTO SLTO .LTO ....
                 SLTO SLTO SLTO .LTO .LTO .LTO .LTO .... SLTO .LTO ....
                      SLTO SLTO .L.O .... .... .... .... SLTO .... ....
                           SLTO ...O .... .... .... .... SLTO .... ....
                                ...O .... .... .... .... S.TO .... ....
                                     .... .... .... .... .... .... ....
                                          .... .... .... .... .... ....
                                               .... .... .... .... ....
                                                    .... .... .... ....
                                                         SLTO .... ....
                                                              .... ....
                                                                   ....`;

const MANNERS: Readonly<Record<string, Manner>> = {
  S: { learns: false, hasOpener: false, lateMs: 0 },
  L: { learns: true, hasOpener: false, lateMs: 0 },
  T: { learns: true, hasOpener: false, lateMs: 1_000 },
  O: { learns: true, hasOpener: true, lateMs: 0 },
};
/** Who is first, by so little that both have begun before either is heard, or by more. Milliseconds. */
const RACES_MS = [0, 20, -20];

function world(seed: number, overlaps = false): NatWorld {
  const made = new NatWorld(new SimNetwork(seed), overlaps);
  addMirror(made.core);
  return made;
}

function goesThrough(row: NatKind, column: NatKind, manner: Manner): boolean {
  const { network, ...made } = pairOf({ kind: row }, { kind: column });
  return punch(network, made.a, made.b, manner);
}

function pairOf(first: SideOptions, second: SideOptions) {
  const made = world(1);
  return { network: made.network, a: made.addSide(first), b: made.addSide(second) };
}

describe("modelled networks let through what the laboratory's do", () => {
  const cells = MEASURED.trim().split(/\s+/);
  for (const [index, row] of KINDS.entries())
    for (const column of KINDS.slice(index)) {
      const measured = cells.shift() ?? "";
      test(`${row} and ${column}: ${measured}`, () => {
        for (const [at, [letter, manner]] of Object.entries(MANNERS).entries()) {
          const isRace = (row === "cone-open" || column === "cone-open") && "SL".includes(letter);
          const outcomes = (isRace ? RACES_MS : [manner.lateMs]).map((lateMs) =>
            goesThrough(row, column, { ...manner, lateMs }),
          );
          expect(outcomes).toContain(measured[at] === letter);
        }
      });
    }
});

/** Where the mirror sees a new socket of that side. */
function seen(network: SimNetwork, side: NatSide, port?: number): UdpAddress {
  const puncher = new Puncher(network, side, port);
  network.runFor(100);
  puncher.close();
  if (puncher.seenAt === null) throw new Error("the mirror has seen nothing");
  return puncher.seenAt;
}

/** From how many ports a server with three addresses sees one socket. */
function mappings(options: SideOptions): readonly UdpAddress[] {
  const made = world(3);
  const side = made.addSide(options);
  const socket = side.host.open(() => undefined, 40_000);
  const froms: UdpAddress[] = [];
  for (const ip of ["28.0.0.11", "28.0.0.12", "28.0.0.13"])
    made.core.attachServer(ip, { give: ({ from }) => void froms.push(from) });
  for (const ip of ["28.0.0.11", "28.0.0.12", "28.0.0.13"])
    for (const port of [1, 2]) side.host.send(socket, new Uint8Array(8), { ip, port });
  made.network.runFor(100);
  return froms;
}

test("a NAT of a kind shows a socket as that kind does", () => {
  const ports = (options: SideOptions) => mappings(options).map(({ port }) => port);
  const span = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers);
  expect(mappings({ kind: "none" }).map(({ ip, port }) => `${ip}:${port}`)).toEqual(Array(6).fill("28.1.1.101:40000"));
  for (const kind of ["fullcone", "arcone", "cone", "cone-open", "short-timeout"] as const)
    expect(mappings({ kind }).map(({ ip, port }) => `${ip}:${port}`)).toEqual(Array(6).fill("28.1.0.10:40000"));
  for (const kind of ["cone-remap", "cgnat"] as const) {
    expect(span(ports({ kind }))).toBe(0);
    expect(ports({ kind })[0]).not.toBe(40_000);
  }
  expect(ports({ kind: "symmetric-seq" })).toEqual([20_000, 20_001, 20_002, 20_003, 20_004, 20_005]);
  expect(ports({ kind: "symmetric-seq", nat: { step: 4 } }).slice(0, 3)).toEqual([20_000, 20_004, 20_008]);
  expect(span(ports({ kind: "symmetric-block" }))).toBeLessThan(512);
  for (const kind of ["symmetric", "cgnat-symmetric"] as const) expect(span(ports({ kind }))).toBeGreaterThan(1_024);
  expect(new Set(mappings({ kind: "symmetric-pool" }).map(({ ip }) => ip)).size).toBe(3);
  expect(mappings({ kind: "udpblocked" })).toEqual([]);
});

for (const [kind, where, hairpins, throughLan, throughNat] of [
  ["cone", "same-lan", false, true, false],
  ["cone", "same-lan", true, true, true],
  ["cone", "same-nat", false, false, false],
  ["cone", "same-nat", true, false, true],
  ["cone-remap", "same-nat", true, false, true],
  ["cgnat", "same-cgnat", false, false, false],
  ["cgnat", "same-cgnat", true, false, true],
] as const satisfies readonly (readonly [NatKind, Neighbourhood, boolean, boolean, boolean])[])
  test(`${kind}${hairpins ? " that hairpins" : ""}, ${where}: two hosts with one port get two, and reach each other as in the laboratory`, () => {
    const made = world(5);
    const { network } = made;
    const a = made.addSide({ kind, hairpins });
    const b = made.addNeighbour(a, where);
    const [first, second] = [new Puncher(network, a, 40_000), new Puncher(network, b, 40_000)];
    network.runFor(100);
    if (first.seenAt === null || second.seenAt === null) throw new Error("the mirror has seen nothing");
    expect(first.seenAt.ip).toBe(second.seenAt.ip);
    expect(first.seenAt.port).not.toBe(second.seenAt.port);
    const plain: Manner = { learns: true, hasOpener: false, lateMs: 0 };
    first.punch(second.seenAt, plain, 0);
    second.punch(first.seenAt, plain, 0);
    network.runFor(4_000);
    expect(first.isThrough && second.isThrough).toBe(throughNat);
    for (const puncher of [first, second]) puncher.close();
    const [c, d] = [new Puncher(network, a, 40_001), new Puncher(network, b, 40_001)];
    c.punch({ ip: b.host.ip, port: 40_001 }, plain, 0);
    d.punch({ ip: a.host.ip, port: 40_001 }, plain, 0);
    network.runFor(4_000);
    expect(c.isThrough && d.isThrough).toBe(throughLan);
  });

for (const [kind, isKept] of [
  ["cone", true],
  ["cone-open", false],
] as const)
  test(`${kind}: an early datagram from outside ${isKept ? "changes nothing" : "takes the port, until it is forgotten, where its sender is concerned"}`, () => {
    const { network, a, b } = pairOf({ kind }, { kind: "none" });
    const froms: number[] = [];
    const stranger = b.host.open((_, from) => void froms.push(from.port), 5_000);
    const early = new Puncher(network, a, 40_000);
    network.runFor(100);
    b.host.send(stranger, Buffer.from("early"), { ip: "28.1.0.10", port: 40_000 });
    network.runFor(100);
    early.say("probe", { ip: b.host.ip, port: 5_000 });
    network.runFor(31_000);
    early.say("probe", { ip: b.host.ip, port: 5_000 });
    network.runFor(100);
    expect(froms.map((port) => port === 40_000)).toEqual([isKept, true]);
  });

test("a datagram with few hops left opens the own NATs, and goes no further", () => {
  const { network, a, b } = pairOf({ kind: "cgnat" }, { kind: "none" });
  let heard = 0;
  const stranger = b.host.open(() => void heard++, 5_000);
  const opener = new Puncher(network, a);
  network.runFor(100);
  opener.say("opener", { ip: b.host.ip, port: 5_000 }, 4);
  network.runFor(100);
  expect(heard).toBe(0);
  if (opener.seenAt === null) throw new Error("the mirror has seen nothing");
  b.host.send(stranger, Buffer.from("probe"), opener.seenAt);
  network.runFor(100);
  expect(heard).toBe(1);
});

/** Whether a datagram from outside still comes in after so long without one that went out. */
function livesFor(ms: number, options: SideOptions, talksMs: number): boolean {
  const { network, a, b } = pairOf(options, { kind: "none" });
  let isHeard = false;
  const socket = a.host.open(() => void (isHeard = true), 40_000);
  const stranger = b.host.open(() => undefined, 5_000);
  const [there, back] = [
    { ip: b.host.ip, port: 5_000 },
    { ip: "28.1.0.10", port: 40_000 },
  ];
  for (let at = 0; at <= talksMs; at += 500)
    network.in(at, () => {
      a.host.send(socket, new Uint8Array(8), there);
      network.in(100, () => b.host.send(stranger, new Uint8Array(8), back));
    });
  network.runFor(talksMs + 200);
  // What comes in refreshes nothing.
  for (let at = 1_000; at < ms; at += 1_000) network.in(at, () => b.host.send(stranger, new Uint8Array(8), back));
  network.runFor(ms - 200);
  isHeard = false;
  b.host.send(stranger, new Uint8Array(8), back);
  network.runFor(100);
  return isHeard;
}

test("a mapping lives 30 s behind the last datagram that left over it, 120 s once both ends have spoken for 2 s", () => {
  for (const [options, ms, talksMs, lives] of [
    [{ kind: "cone" }, 29_000, 0, true],
    [{ kind: "cone" }, 31_000, 0, false],
    [{ kind: "cone" }, 119_000, 3_000, true],
    [{ kind: "cone" }, 121_000, 3_000, false],
    [{ kind: "short-timeout" }, 9_000, 3_000, true],
    [{ kind: "short-timeout" }, 11_000, 3_000, false],
  ] as const)
    expect([options, ms, livesFor(ms, options, talksMs)]).toEqual([options, ms, lives]);
});

for (const kind of ["cone", "fullcone", "symmetric", "cgnat", "none", "publicfw"] as const)
  test(`${kind}: a new address or new ports are seen at once, and what was open is shut`, () => {
    const { network, a } = pairOf({ kind }, { kind: "none" });
    const before = seen(network, a, 40_000);
    if (kind !== "none" && kind !== "publicfw") {
      a.rebind("port");
      const after = seen(network, a, 40_000);
      expect(after.ip).toBe(before.ip);
      expect(after.port).not.toBe(before.port);
    }
    a.rebind("ip");
    expect(seen(network, a, 40_000).ip).not.toBe(before.ip);
    const puncher = new Puncher(network, a, 40_001);
    network.runFor(100);
    a.rebind("flush");
    expect(a.boxes.map((box) => box.nat.flowCount(network.now))).toEqual(a.boxes.map(() => 0));
    puncher.say("where", MIRROR);
    network.runFor(100);
    expect(puncher.seenAt).not.toBeNull();
  });

test("a host that moves to another address of its network is reached there", () => {
  const { network, a } = pairOf({ kind: "cone" }, { kind: "none" });
  const { ip } = a.host;
  a.roam();
  expect(a.host.ip).not.toBe(ip);
  expect(seen(network, a, 40_000)).toEqual({ ip: "28.1.0.10", port: 40_000 });
});

test("homes with the same addresses inside reach each other through their routers", () => {
  const made = world(7, true);
  const [a, b] = [made.addSide({ kind: "cone" }), made.addSide({ kind: "cone" })];
  expect(a.host.ip).toBe(b.host.ip);
  expect(punch(made.network, a, b, { learns: false, hasOpener: false, lateMs: 0 })).toBe(true);
});
