import { expect, test } from "bun:test";
import { MinRtt } from "../../../../src/wire/congestion/min-rtt.ts";

const SAMPLE = {
  ackedBytes: 0,
  bytesInFlight: 0,
  deliveredBytes: 0,
  priorDeliveredBytes: 0,
  deliveryRate: 0,
  isAppLimited: false,
  sentInFlightBytes: 0,
  lostSinceBytes: 0,
};

function fed(...samples: readonly (readonly [now: number, rttMs: number, isUnqueued?: boolean])[]): MinRtt {
  const minRtt = new MinRtt();
  for (const [now, rttMs, isUnqueued = false] of samples) minRtt.onAck({ ...SAMPLE, now, rttMs }, isUnqueued);
  return minRtt;
}

test("MinRtt asks for a probe when nothing about as low came for 5 s", () => {
  expect(fed([0, 20], [4_000, 30], [4_900, 30]).isProbeDue).toBe(false);
  expect(fed([0, 20], [4_000, 30], [5_001, 30]).isProbeDue).toBe(true);
  expect(fed([0, 20], [4_000, 20.5], [5_001, 30]).isProbeDue).toBe(false);
});

test("MinRtt needs no probe where the path was empty anyway, as after a pause", () => {
  expect(fed([0, 20], [60_000, 25, true]).isProbeDue).toBe(false);
});

test("MinRtt forgets its minimum after 10 s, for the lowest of the last 5", () => {
  expect(fed([0, 20], [6_000, 40], [9_000, 30], [10_001, 35]).ms).toBe(30);
  expect(fed([0, 20], [6_000, 40], [9_000, 30]).ms).toBe(20);
});
