import { expect, test } from "bun:test";
import { InflightBounds } from "../../../../src/wire/congestion/inflight-bounds.ts";
import { RoundSignals } from "../../../../src/wire/congestion/round-signals.ts";

function lossyRound(bandwidth: number, inflightBytes: number): RoundSignals {
  const round = new RoundSignals();
  round.bandwidth = bandwidth;
  round.inflightBytes = inflightBytes;
  return round;
}

const all = ({ longTermBytes, shortTermBytes, shortTermBandwidth }: InflightBounds) => [
  longTermBytes,
  shortTermBytes,
  shortTermBandwidth,
];
const NONE = Number.POSITIVE_INFINITY;

test("InflightBounds takes what lost too much as the bound, but cuts by no more than 30 % of what the path holds", () => {
  const bounds = new InflightBounds();
  bounds.onTooHigh(90_000, 100_000);
  expect(bounds.longTermBytes).toBe(90_000);
  bounds.onTooHigh(10_000, 100_000);
  expect(bounds.longTermBytes).toBe(70_000);
  expect([bounds.withHeadroom(1_000), bounds.withHeadroom(65_000)]).toEqual([59_500, 65_000]);
});

test("InflightBounds follows what does no harm upwards", () => {
  const bounds = new InflightBounds();
  bounds.onSafe(50_000);
  expect(bounds.longTermBytes).toBe(NONE);
  bounds.onTooHigh(50_000, 0);
  bounds.onSafe(60_000);
  expect(bounds.longTermBytes).toBe(60_000);
  bounds.startProbe();
  bounds.probeUpward(60_000, 60_000, true);
  expect(bounds.longTermBytes).toBe(61_200);
  bounds.probeUpward(60_000, 60_000, true);
  expect(bounds.longTermBytes).toBe(63_600);
});

test("InflightBounds goes down to what came through a lossy round, but by no more than 30 %", () => {
  const bounds = new InflightBounds();
  bounds.onCongestedRound(lossyRound(900, 80_000), 100_000, 1_000);
  expect(all(bounds)).toEqual([NONE, 80_000, 900]);
  bounds.onCongestedRound(lossyRound(100, 10_000), 100_000, 1_000);
  expect(all(bounds)).toEqual([NONE, 56_000, 630]);
  bounds.resetShortTerm();
  expect(all(bounds)).toEqual([NONE, NONE, NONE]);
});

test("InflightBounds.undo() brings back what was before the losses that were none", () => {
  const bounds = new InflightBounds();
  bounds.onTooHigh(90_000, 0);
  bounds.resetShortTerm();
  bounds.onCongestedRound(lossyRound(900, 80_000), 100_000, 1_000);
  bounds.onTooHigh(40_000, 0);
  bounds.undo();
  expect(all(bounds)).toEqual([90_000, NONE, NONE]);
  bounds.undo();
  expect(all(bounds)).toEqual([90_000, NONE, NONE]);
});
