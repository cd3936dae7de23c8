import { expect, test } from "bun:test";
import { LossBaseline } from "../../../../src/wire/congestion/loss-baseline.ts";

function phases(rates: readonly number[]): LossBaseline {
  const baseline = new LossBaseline();
  for (const rate of rates) {
    baseline.count(100_000 * (1 - rate), 100_000 * rate);
    baseline.endPhase(1_200);
  }
  return baseline;
}

test("LossBaseline is what every phase loses", () => {
  expect(phases([0.3, 0.31, 0.29, 0.3, 0.3, 0.33, 0.28, 0.3]).rate).toBeCloseTo(0.28, 5);
});

test("LossBaseline is nothing where a phase that sends less loses nothing", () => {
  expect(phases([0.3, 0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]).rate).toBe(0);
});

test("LossBaseline says nothing before eight phases, and never more than 0.4", () => {
  expect(phases([0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3]).rate).toBe(0);
  expect(phases([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]).rate).toBe(0.4);
});

test("LossBaseline makes no sample of a few packets", () => {
  const baseline = new LossBaseline();
  for (let phase = 0; phase < 200; phase++) {
    baseline.count(2_400, phase % 2 === 0 ? 1_200 : 0);
    baseline.endPhase(1_200);
  }
  expect(baseline.rate).toBeCloseTo(0.2, 1);
});
