import { expect, test } from "bun:test";
import { defaultLimits, type Limits } from "../../../../src/modes/cli/limits.ts";
import { Refusal } from "../../../../src/modes/server/refusal.ts";
import { RingLimits } from "../../../../src/modes/server/ring-limits.ts";
import { ManualClock } from "./manual-clock.ts";

const person = (number: number) => new Uint8Array(16).fill(number);

/** Who rings whom, and how often at a time. @returns how many milliseconds each has to wait; 0 for none */
function waits(limits: Limits, rings: readonly (readonly [asker: number, asked: number, open: number])[]) {
  const all = new RingLimits(new ManualClock(), limits);
  return rings.map(([asker, asked, open]) => {
    try {
      all.take(person(asker), person(asked), open);
      return 0;
    } catch (error) {
      if (error instanceof Refusal && error.code === "limited") return error.retryMs;
      throw error;
    }
  });
}

test("bad input 88: each limit of rings is a setting", () => {
  const limits = { ...defaultLimits, "limit-rings": 2, "limit-rings-unanswered": 1, "limit-rings-from-strangers": 1 };
  expect(
    waits(limits, [
      [1, 2, 1],
      [1, 3, 1],
      [1, 4, 1],
    ]),
  ).toEqual([0, 0, 30_000]);
  expect(
    waits(limits, [
      [1, 2, 1],
      [1, 2, 2],
    ]),
  ).toEqual([0, 1_000]);
  expect(
    waits(limits, [
      [1, 9, 1],
      [2, 9, 1],
      [3, 9, 1],
    ]),
  ).toEqual([0, 0, 60_000]);
});

test("0 turns a limit of rings off", () => {
  const off = { ...defaultLimits, "limit-rings": 0, "limit-rings-unanswered": 0, "limit-rings-from-strangers": 0 };
  const many = Array.from({ length: 500 }, (_, at) => [1, 2, at] as const);
  expect(new Set(waits(off, many))).toEqual(new Set([0]));
});
