import { expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_DATAGRAM_BYTES, MtuSearch } from "../../../../src/wire/session/mtu-search.ts";

/** Searches a path that carries `mtu` bytes. @returns the lengths tried, in order, and the longest that passed */
function search(mtu: number, family: 4 | 6, from = 1_200): { readonly tried: number[]; readonly found: number } {
  const search = new MtuSearch(from, family);
  const tried: number[] = [];
  let found = from;
  for (let bytes = search.next; bytes !== null; bytes = search.next) {
    tried.push(bytes);
    if (bytes <= mtu) search.onArrived((found = bytes));
    else search.onFailed(bytes);
  }
  return { tried, found };
}

test("MtuSearch tries what networks have before it divides", () => {
  expect(search(1_472, 4).tried).toEqual([1_452, 8_952, 1_472, 5_212]);
  expect(search(1_452, 6).tried).toEqual([1_432, 8_952, 1_452, 5_202]);
  expect(search(65_507, 4).tried).toEqual([1_452, 8_952]);
  expect(search(1_252, 4).tried).toEqual([1_452, 1_326, 1_263, 1_231]);
  expect(search(1_200, 4).tried).toEqual([1_452, 1_326, 1_263, 1_231]);
});

test("MtuSearch finds what a path carries but for a 32nd, or a 16th of jumbo frames, with 8 lengths at most and never one that was settled", () => {
  const anything = fc.record({
    mtu: fc.integer({ min: 1_200, max: 65_507 }),
    family: fc.constantFrom(4 as const, 6 as const),
  });
  fc.assert(
    fc.property(anything, ({ mtu, family }) => {
      const { tried, found } = search(mtu, family);
      expect(found).toBeLessThanOrEqual(mtu);
      expect(tried.length).toBeLessThanOrEqual(8);
      expect(new Set(tried).size).toBe(tried.length);
      // Between Ethernet and jumbo frames it does not look closely.
      const ethernet = family === 4 ? 1_472 : 1_452;
      const wanted = mtu < 6_000 ? Math.min(mtu, ethernet) : Math.min(mtu, MAX_DATAGRAM_BYTES);
      expect(found).toBeGreaterThanOrEqual(wanted * (1 - (mtu < 6_000 ? 1 / 32 : 1 / 16)));
    }),
  );
});

test("MtuSearch goes on from a length that is proven, and has nothing to do at the longest", () => {
  expect(search(65_507, 4, 1_472).tried).toEqual([8_952]);
  expect(search(65_507, 4, MAX_DATAGRAM_BYTES).tried).toEqual([]);
});
