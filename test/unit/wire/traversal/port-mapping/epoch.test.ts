import { expect, test } from "bun:test";
import { EpochWatch } from "../../../../../src/wire/traversal/port-mapping/epoch.ts";

function heard(...pairs: (readonly [now: number, seconds: number])[]): boolean[] {
  const watch = new EpochWatch();
  return pairs.map(([now, seconds]) => watch.hear(now, seconds));
}

test("EpochWatch believes a gateway whose clock goes on as ours does, a sixteenth more or less", () => {
  expect(heard([0, 100], [1_000, 101], [3_600_000, 3_700], [7_200_000, 7_280])).toEqual([false, false, false, false]);
});

test("EpochWatch forgives a step back of one second, for answers that overtook each other", () => {
  expect(heard([0, 100], [10, 99])).toEqual([false, false]);
  expect(heard([0, 100], [10, 98])).toEqual([false, true]);
});

test("EpochWatch finds out that the gateway has restarted, or jumped ahead", () => {
  expect(heard([0, 100_000], [60_000, 12])).toEqual([false, true]);
  expect(heard([0, 10], [3_600_000, 100])).toEqual([false, true]);
  expect(heard([0, 10], [1_000, 100])).toEqual([false, true]);
});

test("EpochWatch counts from what it heard last", () => {
  expect(heard([0, 100_000], [60_000, 12], [120_000, 72])).toEqual([false, true, false]);
});
