import { expect, test } from "bun:test";
import {
  ackDelayMs,
  lossDelayMs,
  persistentCongestionMs,
  probeTimeoutMs,
  updateRtt,
} from "../../../../src/wire/session/rtt.ts";

test("updateRtt() takes the first sample as it is, RFC 9002 §5.3", () => {
  expect(updateRtt(null, 100, 30)).toEqual({ latestMs: 100, minMs: 100, smoothedMs: 100, variationMs: 50 });
});

test("updateRtt() takes off the ack delay, but never below the minimum and never more than 25 ms", () => {
  const first = updateRtt(null, 100, 0);
  expect(updateRtt(first, 140, 20)).toMatchObject({ minMs: 100, smoothedMs: (7 * 100 + 120) / 8 });
  expect(updateRtt(first, 110, 20).smoothedMs).toBe((7 * 100 + 110) / 8);
  expect(updateRtt(first, 180, 70).smoothedMs).toBe((7 * 100 + 155) / 8);
});

test("updateRtt() refuses what is no duration", () => {
  for (const [sample, delay] of [
    [-1, 0],
    [Number.NaN, 0],
    [5, Number.POSITIVE_INFINITY],
    [5, -2],
  ] as const)
    expect(() => updateRtt(null, sample, delay)).toThrow(RangeError);
});

test("timeouts follow the estimate", () => {
  const rtt = { latestMs: 90, minMs: 80, smoothedMs: 100, variationMs: 10 };
  expect(probeTimeoutMs(rtt)).toBe(100 + 40 + 25);
  expect(lossDelayMs(rtt)).toBe(112.5);
  expect(ackDelayMs({ ...rtt, smoothedMs: 8 })).toBe(2);
  expect(persistentCongestionMs(rtt)).toBe(3 * 165);
  expect(probeTimeoutMs(null)).toBe(1_024);
  expect(probeTimeoutMs({ latestMs: 0, minMs: 0, smoothedMs: 0, variationMs: 0 })).toBe(1);
});
