import { expect, test } from "bun:test";
import fc from "fast-check";
import { AckRanges, MAX_ACK_RANGES } from "../../../../src/wire/session/ack-ranges.ts";

function numbersOf(ranges: AckRanges): number[] {
  const numbers: number[] = [];
  for (let index = 0; index < ranges.count; index++)
    for (let number = ranges.high(index); number >= ranges.low(index); number--) numbers.push(number);
  return numbers;
}

test("AckRanges holds the numbers that came, newest first, and forgets through one", () => {
  const step = fc.oneof(fc.record({ add: fc.nat(80) }), fc.record({ forget: fc.nat(80) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const ranges = new AckRanges();
      let model = new Set<number>();
      for (const each of steps) {
        if ("add" in each) {
          ranges.add(each.add);
          model.add(each.add);
        } else {
          ranges.forgetThrough(each.forget);
          model = new Set([...model].filter((number) => number > each.forget));
        }
      }
      expect(numbersOf(ranges)).toEqual([...model].sort((a, b) => b - a));
      expect(ranges.largest).toBe(Math.max(-1, ...model));
    }),
    { numRuns: 3_000 },
  );
});

test("AckRanges drops the oldest range when it is full", () => {
  const ranges = new AckRanges();
  for (let number = 0; number < 1_000; number++) ranges.add(2 * number);
  expect(ranges.count).toBe(MAX_ACK_RANGES);
  expect(numbersOf(ranges)).toEqual(Array.from({ length: MAX_ACK_RANGES }, (_, index) => 1_998 - 2 * index));
  ranges.add(5);
  expect(numbersOf(ranges)).not.toContain(5);
});
