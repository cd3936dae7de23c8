import { expect, test } from "bun:test";
import { TurnBudget } from "../../../../src/modes/server/turn-budget.ts";

test("TurnBudget gives 4 ms of each turn of the event loop, and again in the next one", async () => {
  let now = 100;
  const budget = new TurnBudget(() => now);
  expect(budget.hasTime()).toBe(true);
  now += 3.9;
  expect(budget.hasTime()).toBe(true);
  now += 0.1;
  expect([budget.hasTime(), budget.hasTime()]).toEqual([false, false]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(budget.hasTime()).toBe(true);
});
