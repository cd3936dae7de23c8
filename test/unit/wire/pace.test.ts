import { expect, test } from "bun:test";
import { Pace } from "../../../src/wire/pace.ts";

test("Pace allows so many in any second, whenever that begins, and what it refuses does not count", () => {
  const pace = new Pace(3);
  const taken = (...times: number[]) => times.filter((at) => pace.take(at));
  expect(taken(0, 400, 900, 900, 999, 1_000, 1_001, 1_399, 1_400, 1_899, 1_900)).toEqual([
    0, 400, 900, 1_000, 1_400, 1_900,
  ]);
});
