import { expect, test } from "bun:test";
import { Rounds } from "../../../../src/wire/congestion/rounds.ts";

const SAMPLE = {
  now: 0,
  ackedBytes: 0,
  bytesInFlight: 0,
  rttMs: null,
  deliveryRate: 0,
  isAppLimited: false,
  sentInFlightBytes: 0,
  lostSinceBytes: 0,
};

function after(rounds: Rounds, priorDeliveredBytes: number, deliveredBytes: number): boolean {
  rounds.onAck({ ...SAMPLE, priorDeliveredBytes, deliveredBytes });
  return rounds.isStart;
}

test("Rounds begins one when what left after the last beginning is acknowledged", () => {
  const rounds = new Rounds();
  expect([after(rounds, 0, 100), after(rounds, 50, 200), after(rounds, 99, 300)]).toEqual([true, false, false]);
  expect([after(rounds, 100, 400), after(rounds, 399, 500), after(rounds, 400, 600)]).toEqual([true, false, true]);
  expect(rounds.count).toBe(3);
});

test("Rounds.restart() lets the round under way end with what leaves now", () => {
  const rounds = new Rounds();
  after(rounds, 0, 100);
  rounds.restart(500);
  expect([after(rounds, 499, 600), after(rounds, 500, 700)]).toEqual([false, true]);
});

test("Rounds goes on where another path counts from zero", () => {
  const rounds = new Rounds();
  after(rounds, 0, 1_000_000);
  expect([after(rounds, 0, 1_000), after(rounds, 500, 2_000), after(rounds, 1_000, 3_000)]).toEqual([
    true,
    false,
    true,
  ]);
});
