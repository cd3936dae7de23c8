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

test("Pacer lets a late timer catch up on 2 ms of the rate in a millisecond, on 10 ms in all, and keeps the rate so", () => {
  const pacer = new Pacer(0);
  pacer.spend(12_000);
  expect(pacer.readyAt(0, 10_000)).toBe(1);
  expect(pacer.budgetBytes(500, 10_000)).toBe(20_000);
  let left = 0;
  for (let now = 500; now < 510; now++)
    while (pacer.readyAt(now, 10_000) <= now) {
      left += 10_000;
      pacer.spend(10_000);
    }
  expect(left).toBe(19 * 10_000);
  expect(pacer.readyAt(509.5, 10_000)).toBe(510);
});

test("Pacer owes nothing for time in which it was not the one to wait for", () => {
  const pacer = new Pacer(0);
  pacer.spend(12_000);
  expect(pacer.readyAt(0, 10_000)).toBe(1);
  pacer.rest();
  expect(pacer.budgetBytes(500, 10_000)).toBe(20_000);
  pacer.spend(20_000);
  expect(pacer.readyAt(501, 10_000)).toBe(501);
  pacer.spend(10_000);
  expect(pacer.readyAt(501, 10_000)).toBe(502);
});

test("Pacer lets what a late timer owes leave at once, though it is no whole burst any more", () => {
  const pacer = new Pacer(0);
  pacer.spend(12_000);
  expect(pacer.readyAt(0, 45_000)).toBe(1);
  pacer.budgetBytes(3, 45_000);
  pacer.spend(64_800);
  expect(pacer.readyAt(3, 45_000)).toBe(3);
  expect(pacer.budgetBytes(3, 45_000)).toBe(90_000 - 64_800);
  pacer.spend(24_000);
  expect(pacer.readyAt(3, 45_000)).toBe(3);
  pacer.spend(1_200);
  expect(pacer.readyAt(3, 45_000)).toBe(4);
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
    [655_070, 0.1],
  ] as const) {
    const pacer = new Pacer(0);
    pacer.spend(12_000);
    expect(pacer.readyAt(0, rate)).toBeCloseTo(waitMs, 9);
  }
});
