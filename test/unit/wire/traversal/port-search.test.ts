import { expect, test } from "bun:test";
import fc from "fast-check";
import { PortSearch, type PortSearchOptions } from "../../../../src/wire/traversal/port-search.ts";
import { Seeded } from "../../../sim/seeded.ts";

type Options = Omit<PortSearchOptions, "random" | "opensFirst"> & { readonly opensFirst?: boolean };

/** All its checks, with their times. */
function all(options: Options, seed = 1): { at: number; port: number; isOpener: boolean }[] {
  const search = new PortSearch(1_000, { opensFirst: false, random: new Seeded(seed).bytes, ...options });
  const checks: { at: number; port: number; isOpener: boolean }[] = [];
  while (!search.isOver) {
    const at = search.dueAt;
    expect(search.poll(at - 0.001)).toBeNull();
    const check = search.poll(at);
    if (check !== null) checks.push({ at: at - 1_000, ...check });
  }
  expect(search.dueAt).toBe(Infinity);
  expect(search.poll(1e9)).toBeNull();
  return checks;
}

test("foretold ports are checked in their order, likeliest first, five times within half a second", () => {
  const checks = all({ how: "predict", ports: [5_001, 5_002, 5_003] });
  expect(checks.slice(0, 3)).toEqual([
    { at: 0, port: 5_001, isOpener: false },
    { at: 1, port: 5_002, isOpener: false },
    { at: 2, port: 5_003, isOpener: false },
  ]);
  expect(checks.filter(({ port }) => port === 5_002).map(({ at }) => at)).toEqual([1, 61, 151, 301, 501]);
});

test("where each port takes one of ours, the first pass opens and reaches nobody", () => {
  const checks = all({ how: "predict", ports: [5_001, 5_002], opensFirst: true });
  expect(checks.map(({ isOpener }) => isOpener)).toEqual([true, true, ...Array<boolean>(8).fill(false)]);
});

test("a window holds every port that can lie in one block of 512 with those seen, each once, 200 a second", () => {
  const offsets = fc.uniqueArray(fc.integer({ min: 0, max: 511 }), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(fc.integer({ min: 2_048, max: 64_000 }), offsets, (start, seen) => {
      const ports = seen.map((offset) => start + offset);
      const checks = all({ how: "window", ports });
      const tried = new Set(checks.map(({ port }) => port));
      expect(tried.size).toBe(checks.length);
      expect(checks.length).toBeLessThanOrEqual(512);
      const [first, last] = [Math.min(...ports), Math.max(...ports)];
      for (const port of tried) expect(port > last - 512 && port < first + 512).toBe(true);
      expect(checks.at(-1)?.at).toBeCloseTo(5 * (checks.length - 1));
    }),
    { numRuns: 30 },
  );
});

test("a window whose ends are known is searched whole", () => {
  const checks = all({ how: "window", ports: [40_000, 40_511] });
  expect(checks.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 512 }, (_, n) => 40_000 + n),
  );
});

test("a birthday has 1 150 different ports from 1 024 up, in 8 s, and other ones for another seed", () => {
  const ports = all({ how: "birthday", ports: [] }).map(({ port }) => port);
  expect(new Set(ports).size).toBe(1_150);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(1_024);
  const last = all({ how: "birthday", ports: [] }).at(-1);
  expect(last?.at).toBeCloseTo((1_149 / 150) * 1_000);
  const others = new Set(all({ how: "birthday", ports: [] }, 2).map(({ port }) => port));
  expect(ports.filter((port) => others.has(port)).length).toBeLessThan(100);
});

test("a birthday's ports are spread evenly", () => {
  const eighths = Array<number>(8).fill(0);
  for (let seed = 0; seed < 20; seed++)
    for (const { port } of all({ how: "birthday", ports: [] }, seed)) {
      const eighth = Math.floor((8 * (port - 1_024)) / 64_512);
      eighths[eighth] = (eighths[eighth] ?? 0) + 1;
    }
  for (const count of eighths) expect(Math.abs(count - 2_875)).toBeLessThan(250);
});

test("seen ports at the ends of the range lead to none outside of it", () => {
  const low = all({ how: "window", ports: [1_030] }).map(({ port }) => port);
  const high = all({ how: "window", ports: [65_530] }).map(({ port }) => port);
  expect(Math.min(...low)).toBe(1_024);
  expect(Math.max(...high)).toBe(65_535);
});
