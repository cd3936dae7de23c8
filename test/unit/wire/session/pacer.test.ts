import { expect, test } from "bun:test";
import { Pacer } from "../../../../src/wire/session/pacer.ts";

test("Pacer lets a first burst of ten packets go at once, and then the rate", () => {
  const pacer = new Pacer(0);
  expect(pacer.budgetBytes(0, 1_200)).toBe(12_000);
  pacer.spend(12_000);
  expect(pacer.budgetBytes(0, 1_200)).toBe(0);
  expect(pacer.readyAt(0, 1_200)).toBe(1);
  expect(pacer.budgetBytes(1, 1_200)).toBe(1_200);
});

test("Pacer lets a late timer catch up on 2 ms of the rate, not more", () => {
  const pacer = new Pacer(0);
  pacer.spend(12_000);
  expect(pacer.budgetBytes(500, 10_000)).toBe(20_000);
});

test("Pacer makes up for packets that did not ask", () => {
  const pacer = new Pacer(0);
  pacer.spend(15_600);
  expect(pacer.budgetBytes(0, 1_200)).toBe(-3_600);
  expect(pacer.readyAt(0, 1_200)).toBe(4);
});

test("Pacer waits for a burst worth a millisecond, at most what one offloaded send holds", () => {
  for (const [rate, waitMs] of [
    [120, 10],
    [12_000, 1],
    [648_000, 0.1],
  ] as const) {
    const pacer = new Pacer(0);
    pacer.spend(12_000);
    expect(pacer.readyAt(0, rate)).toBeCloseTo(waitMs, 9);
  }
});
