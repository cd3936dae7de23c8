import { expect, test } from "bun:test";
import { CheckBudget } from "../../../../src/wire/traversal/check-budget.ts";

test("256 checks go out in any minute, 16 KiB of 64 bytes", () => {
  const budget = new CheckBudget();
  for (let at = 0; at < 256; at++) budget.spend(at, "a");
  budget.advance(300);
  expect(budget.allowedAt("a")).toBe(60_000);
  budget.advance(60_000);
  expect(budget.allowedAt("a")).toBeLessThanOrEqual(60_000);
  budget.spend(60_000, "a");
  expect(budget.allowedAt("a")).toBe(60_001);
});

test("12 addresses are checked in any minute, each as often as it may", () => {
  const budget = new CheckBudget();
  for (let index = 0; index < 12; index++) budget.spend(index, `address ${index}`);
  expect(budget.allowedAt("address 3")).toBe(-Infinity);
  expect(budget.allowedAt("thirteenth")).toBe(60_000);
  budget.spend(50, "address 0");
  expect(budget.allowedAt("thirteenth")).toBe(60_001);
  budget.advance(60_001);
  expect(budget.allowedAt("thirteenth")).toBe(-Infinity);
});

test("what an address has cost is remembered until it answers, and past the minute", () => {
  const budget = new CheckBudget();
  for (let at = 0; at < 5; at++) budget.spend(at, "a");
  budget.advance(1_000_000);
  expect(budget.spentOn("a")).toBe(5);
  budget.refund("a", 36);
  expect(budget.spentOn("a")).toBe(5);
  budget.refund("a", 5);
  expect(budget.spentOn("a")).toBe(4);
  budget.answered("a");
  expect(budget.spentOn("a")).toBe(0);
});

test("memory stays bounded: the address checked longest ago is forgotten", () => {
  const budget = new CheckBudget();
  for (let index = 0; index < 1_025; index++) budget.spend(index * 10_000, `address ${index}`);
  expect(budget.spentOn("address 0")).toBe(0);
  expect(budget.spentOn("address 1")).toBe(1);
});
