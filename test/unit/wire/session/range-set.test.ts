import { expect, test } from "bun:test";
import fc from "fast-check";
import { RangeSet } from "../../../../src/wire/session/range-set.ts";

const operation = fc.record({ adds: fc.boolean(), start: fc.nat(60), length: fc.nat(20) });

test("RangeSet holds what a set of numbers holds, in disjoint ranges that do not touch", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), fc.nat(60), fc.nat(30), (operations, from, span) => {
      const [ranges, model] = [new RangeSet(), new Set<number>()];
      for (const { adds, start, length } of operations) {
        const fresh = Array.from({ length }, (_, index) => start + index).filter((number) => !model.has(number));
        if (adds) expect(ranges.add(start, start + length)).toBe(fresh.length);
        else ranges.remove(start, start + length);
        for (let number = start; number < start + length; number++) {
          if (adds) model.add(number);
          else model.delete(number);
        }
      }
      const held: number[] = [];
      for (let index = 0; index < ranges.count; index++) {
        expect(ranges.startAt(index)).toBeGreaterThan(index === 0 ? -1 : ranges.endAt(index - 1));
        for (let number = ranges.startAt(index); number < ranges.endAt(index); number++) held.push(number);
      }
      expect(held).toEqual([...model].sort((a, b) => a - b));
      const missing = [...ranges.missing(from, from + span)].flatMap(([start, end]) =>
        Array.from({ length: end - start }, (_, index) => start + index),
      );
      expect(missing).toEqual(
        Array.from({ length: span }, (_, index) => from + index).filter((number) => !model.has(number)),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("RangeSet.clear() leaves nothing", () => {
  const ranges = new RangeSet();
  ranges.add(3, 9);
  ranges.clear();
  expect(ranges.count).toBe(0);
  expect(ranges.startAt(0)).toBe(Number.POSITIVE_INFINITY);
});
