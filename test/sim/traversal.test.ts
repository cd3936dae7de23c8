import { expect, setDefaultTimeout, test } from "bun:test";
import type { NatKind } from "./nat-kinds.ts";
import { meet, type Scene, someLine, talk, unanswered } from "./nat-scene.ts";
import { Seeded } from "./seeded.ts";
import { seeds } from "./seeds.ts";

setDefaultTimeout(60_000);

const KINDS = [
  ...(["none", "publicfw", "fullcone", "arcone", "cone", "cone-remap", "cone-open", "symmetric"] as const),
  ...(["symmetric-seq", "symmetric-block", "cgnat", "cgnat-symmetric"] as const),
] satisfies readonly NatKind[];
type Pair = readonly [NatKind, NatKind];
const PAIRS: readonly Pair[] = KINDS.flatMap((a, index) => KINDS.slice(index).map((b) => [a, b] as const));
/** Every kind with every kind, so often. */
const ROUNDS = 2;

/** What brings two kinds together: plain checks, a search for ports, or nothing. */
type Way = "checks" | "predict" | "window" | "birthday" | "nothing";

const searchFor: Partial<Record<NatKind, Way>> = {
  "symmetric-seq": "predict",
  "symmetric-block": "window",
  symmetric: "birthday",
  "cgnat-symmetric": "birthday",
};
/** They let in whoever comes, or whoever comes from an address they have sent to: a port that is not known is no hindrance. */
const letsIn: readonly NatKind[] = ["none", "fullcone", "arcone"];

function wayBetween(a: NatKind, b: NatKind): Way {
  const [forA, forB] = [searchFor[a], searchFor[b]];
  if (forA !== undefined && forB !== undefined) return forA === "predict" && forB === "predict" ? "predict" : "nothing";
  if (forA !== undefined) return letsIn.includes(b) ? "checks" : forA;
  if (forB !== undefined) return letsIn.includes(a) ? "checks" : forB;
  return "checks";
}

/** A way, what it may cost over bad lines, and what goes to addresses that never say anything. */
interface Bounds {
  readonly withinMs: number;
  /** To one of them. */
  readonly perAddress: number;
  readonly total: number;
}

const bounds: Readonly<Record<Way, Bounds>> = {
  checks: { withinMs: 10_000, perAddress: 36, total: 200 },
  predict: { withinMs: 20_000, perAddress: 50, total: 600 },
  window: { withinMs: 20_000, perAddress: 100, total: 1_200 },
  // Two series, a minute apart: a first one that is short of luck is no defect.
  birthday: { withinMs: 100_000, perAddress: 1_100, total: 2_600 },
  nothing: { withinMs: 60_000, perAddress: 36, total: 200 },
};
/** Of one series, in a router; one that takes unasked datagrams for its own keeps an entry for each of these too. */
const MAX_FLOWS = 1_300;
const MORE_FLOWS = 300;

function expectManners({ sideA, sideB, server }: Scene, { perAddress, total }: Bounds): void {
  for (const side of [sideA, sideB]) {
    const sent = unanswered(side);
    expect(Math.max(0, ...sent)).toBeLessThanOrEqual(perAddress);
    expect(sent.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(total);
    for (const { nat } of side.boxes)
      expect(nat.peakFlows).toBeLessThanOrEqual(MAX_FLOWS + (nat.options.acceptsUnasked === true ? MORE_FLOWS : 0));
  }
  expect(server.sentBytes).toBeLessThanOrEqual(server.receivedBytes);
}

const birthdays: (number | null)[] = [];

for (const seed of seeds(ROUNDS * PAIRS.length)) {
  const [a, b] = PAIRS[seed % PAIRS.length] ?? ["cone", "cone"];
  const way = wayBetween(a, b);
  const what = way === "nothing" ? "stay with the server" : `find each other by ${way}`;
  test(`${a} and ${b} ${what}, politely, and lose nothing: seed ${seed}`, () => {
    const random = new Seeded(seed);
    const scene = meet({ seed, a: { kind: a, link: someLine(random) }, b: { kind: b, link: someLine(random) } });
    const { meeting, network } = scene;
    const hasArrived = talk(scene, random.between(1_000, 60_000));
    const directMs = meeting.untilDirect(bounds[way].withinMs);
    if (way === "birthday") birthdays.push(directMs);
    else expect(directMs !== null).toBe(way !== "nothing");
    network.runUntil(hasArrived, 30_000, "all that was said");
    network.runFor(2_000);
    // A path may be in doubt just then, where two probes were lost, and is not for long.
    if (directMs !== null) network.runUntil(() => meeting.isDirect, 3_000, "the direct path");
    else expect(meeting.isDirect).toBe(false);
    expect(meeting.pair.a.has("closed") || meeting.pair.b.has("closed")).toBe(false);
    expectManners(scene, bounds[way]);
    // The socket that peers are told of, one that found the path, and a few that were heard on.
    for (const { host } of [scene.sideA, scene.sideB]) expect(host.openSockets).toBeLessThanOrEqual(6);
  });
}

test("of those who find each other by birthday, 19 of 20 do, half of them within 5 s", () => {
  const found = birthdays.flatMap((ms) => ms ?? []).toSorted((x, y) => x - y);
  const misses = birthdays.length - found.length;
  expect(misses).toBeLessThanOrEqual(Math.max(1, birthdays.length / 20));
  expect(found[Math.floor(found.length / 2)] ?? 0).toBeLessThan(5_000);
});

/** In one test, however many seeds there are. */
const MOST_RUNS = 200;
/** Lines of 25 ms each way that lose nothing, so that a round trip between two takes 100 ms: what share is direct within what time? */
const criteria: readonly { readonly pairs: readonly Pair[]; readonly withinMs: number; readonly share: number }[] = [
  {
    pairs: PAIRS.filter(([a, b]) => wayBetween(a, b) === "checks" && !(a in searchFor) && !(b in searchFor)),
    withinMs: 500,
    share: 1,
  },
  {
    pairs: PAIRS.filter(([a, b]) => wayBetween(a, b) === "checks" && (a in searchFor || b in searchFor)),
    withinMs: 600,
    share: 1,
  },
  { pairs: PAIRS.filter(([a, b]) => wayBetween(a, b) === "predict"), withinMs: 1_500, share: 0.95 },
  { pairs: PAIRS.filter(([a, b]) => wayBetween(a, b) === "window"), withinMs: 3_000, share: 0.95 },
  { pairs: PAIRS.filter(([a, b]) => wayBetween(a, b) === "birthday"), withinMs: 10_000, share: 0.85 },
];

for (const { pairs, withinMs, share } of criteria) {
  const names = [...new Set(pairs.map(([a, b]) => wayBetween(a, b)))].join();
  test(`${pairs.length} pairs that meet by ${names} are direct within ${withinMs} ms, ${100 * share} of 100`, () => {
    const times = seeds(Math.max(ROUNDS * 10, pairs.length))
      .slice(0, MOST_RUNS)
      .map((seed) => {
        const [a, b] = pairs[seed % pairs.length] ?? ["cone", "cone"];
        const link = { delayMs: 25 };
        return meet({ seed, a: { kind: a, link }, b: { kind: b, link } }).meeting.untilDirect(withinMs);
      });
    const inTime = times.filter((ms) => ms !== null);
    expect(inTime.length).toBeGreaterThanOrEqual(Math.floor(share * times.length));
  });
}

for (const { what, kinds, link, share, withinMs } of [
  {
    what: "3 of 10 lost on one side",
    kinds: ["cone", "cone"],
    link: { delayMs: 25, loss: 0.3 },
    share: 0.95,
    withinMs: 2_000,
  },
  {
    what: "half lost on one side",
    kinds: ["cone", "cone"],
    link: { delayMs: 25, loss: 0.5 },
    share: 0.95,
    withinMs: 10_000,
  },
  { what: "a satellite on one side", kinds: ["cone", "cone-open"], link: { delayMs: 300 }, share: 1, withinMs: 2_500 },
] as const)
  test(`${kinds.join(" and ")}, ${what}: direct within ${withinMs} ms, ${100 * share} of 100`, () => {
    const [a, b] = kinds;
    const times = seeds(ROUNDS * 10)
      .slice(0, MOST_RUNS)
      .map((seed) =>
        meet({ seed, a: { kind: a, link }, b: { kind: b, link: { delayMs: 25 } } }).meeting.untilDirect(withinMs),
      );
    expect(times.filter((ms) => ms !== null).length).toBeGreaterThanOrEqual(Math.floor(share * times.length));
  });

test("ports are foretold while another program of that home opens 20 flows a second", () => {
  const times = seeds(ROUNDS * 10)
    .slice(0, MOST_RUNS)
    .map((seed) => {
      const link = { delayMs: 25 };
      const { network, sideA, meeting } = meet({ seed, a: { kind: "symmetric-seq", link }, b: { kind: "cone", link } });
      const socket = sideA.host.open(() => undefined);
      const flow = (port: number): void => {
        sideA.host.send(socket, new Uint8Array(8), { ip: "28.0.0.10", port });
        network.in(100 * network.random.fraction(), () => flow(port + 1));
      };
      flow(10_000);
      return meeting.untilDirect(3_000);
    });
  expect(times.filter((ms) => ms !== null).length).toBeGreaterThanOrEqual(Math.floor(0.8 * times.length));
});
