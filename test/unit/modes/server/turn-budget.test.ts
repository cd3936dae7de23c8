import { expect, test } from "bun:test";
import { TurnBudget } from "../../../../src/modes/server/turn-budget.ts";

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function place() {
  const told: string[] = [];
  const budget = new TurnBudget({ spent: () => told.push("spent"), renewed: () => told.push("renewed") });
  return { told, budget };
}

test("TurnBudget gives 2 MiB of each turn of the event loop, says once when they are spent, and when the next turn begins", async () => {
  const { told, budget } = place();
  for (let at = 0; at < 32; at++) expect(budget.take(65_536)).toBe(true);
  expect([budget.take(1), budget.take(65_536)]).toEqual([false, false]);
  expect(told).toEqual(["spent"]);
  await nextTurn();
  expect(told).toEqual(["spent", "renewed"]);
  expect(budget.take(65_536)).toBe(true);
  await nextTurn();
  expect(told).toEqual(["spent", "renewed"]);
});

test("TurnBudget takes what is short for 4 KiB, so that a flood of nothing is one too", () => {
  const { budget } = place();
  const taken = Array.from({ length: 1_000 }, () => budget.take(32)).filter(Boolean);
  expect(taken).toHaveLength(512);
});
