import { expect, test } from "bun:test";
import { TunedWindow, WindowPool } from "../../../../src/wire/session/tuned-window.ts";

/** Done with at `rate` bytes per ms, in pieces of 10 ms, for a second. */
function run(window: TunedWindow, rate: number, rttMs: number): void {
  for (let now = 0; now <= 1_000; now += 10) window.onDone(now, rate * 10, rttMs);
}

test("TunedWindow grows to twice what a round trip brings, and no further", () => {
  const window = new TunedWindow(1_000, 8_000, new WindowPool(100_000));
  run(window, 20, 100);
  expect(window.bytes).toBeGreaterThanOrEqual(4_000);
  expect(window.bytes).toBeLessThanOrEqual(4_400);
});

test("TunedWindow stays as it is for a slow reader, however much comes in between, and for a near one", () => {
  for (const [rate, rttMs] of [
    [5, 100],
    [40, 10],
  ] as const) {
    const window = new TunedWindow(1_000, 8_000, new WindowPool(100_000));
    run(window, rate, rttMs);
    expect(window.bytes).toBe(1_000);
  }
  // All at once after a long pause is no rate.
  const window = new TunedWindow(1_000, 8_000, new WindowPool(100_000));
  for (let now = 0; now < 10_000; now += 2_000) window.onDone(now, 1_000, 100);
  expect(window.bytes).toBe(1_000);
});

test("TunedWindow never grows beyond its limit, nor beyond what the pool has", () => {
  const window = new TunedWindow(1_000, 2_000, new WindowPool(100_000));
  run(window, 1_000, 100);
  expect(window.bytes).toBe(2_000);
  const pool = new WindowPool(1_500);
  const [one, two] = [new TunedWindow(1_000, 4_000, pool), new TunedWindow(1_000, 4_000, pool)];
  one.grow(2_000);
  two.grow(9_000);
  expect([one.bytes, two.bytes]).toEqual([2_000, 1_500]);
  one.grow(9_000);
  expect(one.bytes).toBe(2_000);
});

test("TunedWindow.release() gives back what it grew by, once, and it grows no more", () => {
  const pool = new WindowPool(3_000);
  const window = new TunedWindow(1_000, 4_000, pool);
  window.grow(4_000);
  expect(pool.take(1)).toBe(0);
  window.release();
  window.release();
  window.grow(4_000);
  expect(pool.take(9_000)).toBe(3_000);
});

test("TunedWindow takes events of one moment together, and a round trip of no time for none", () => {
  const window = new TunedWindow(1_000, 8_000, new WindowPool(100_000));
  for (let count = 0; count < 100; count++) window.onDone(5, 1_000, 0);
  expect(window.bytes).toBe(1_000);
});
