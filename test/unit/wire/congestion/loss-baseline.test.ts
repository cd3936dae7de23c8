import { expect, test } from "bun:test";
import { LossBaseline } from "../../../../src/wire/congestion/loss-baseline.ts";

function rounds(rates: readonly number[], everyMs = 1_000): LossBaseline {
  const baseline = new LossBaseline();
  for (const [round, rate] of rates.entries()) baseline.onRound(round * everyMs, 100_000 * rate, 100_000);
  return baseline;
}

test("LossBaseline is what every round loses", () => {
  expect(rounds([0.3, 0.31, 0.29, 0.3, 0.3, 0.33, 0.28, 0.3]).rate).toBeCloseTo(0.28, 5);
});

test("LossBaseline is nothing where a round that sends less loses nothing, for 6 s", () => {
  expect(rounds([0.3, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]).rate).toBe(0);
  expect(rounds([0.3, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]).rate).toBe(0.2);
});

test("LossBaseline says nothing before three samples, and never more than 0.4", () => {
  expect(rounds([0.3, 0.3]).rate).toBe(0);
  expect(rounds([0.9, 0.9, 0.9]).rate).toBe(0.4);
});

test("LossBaseline keeps three samples however rare they are", () => {
  expect(rounds([0.2, 0.2, 0.2, 0.2], 60_000).rate).toBe(0.2);
});

test("LossBaseline makes no sample of a few packets", () => {
  const baseline = new LossBaseline();
  for (let round = 0; round < 400; round++) baseline.onRound(round, round % 2 === 0 ? 1_200 : 0, 3_000);
  expect(baseline.rate).toBeCloseTo(0.2, 1);
});

test("LossBaseline.isExceeded() allows for chance, and for more where nothing queues", () => {
  const clean = new LossBaseline();
  expect(clean.isExceeded(2_000, 100_000, true)).toBe(false);
  expect(clean.isExceeded(2_400, 100_000, true)).toBe(true);
  expect(clean.isExceeded(9_600, 100_000, false)).toBe(false);
  expect(clean.isExceeded(12_000, 100_000, false)).toBe(true);
  const radio = rounds([0.3, 0.3, 0.3]);
  expect(radio.isExceeded(40_000, 100_000, true)).toBe(false);
  expect(radio.isExceeded(50_000, 100_000, true)).toBe(true);
  expect(radio.isExceeded(34_000, 10_000_000, true)).toBe(false);
});
