import { expect, test } from "bun:test";
import { LimitClock } from "../../../../src/wire/session/limit-clock.ts";

test("LimitClock counts a reason from where the sender stopped until it stops again", () => {
  const clock = new LimitClock(100);
  clock.stopped(110, "pacing");
  clock.stopped(140, "credit");
  clock.stopped(150, "credit");
  expect(clock.reason).toBe("credit");
  expect(clock.times(170)).toEqual({ application: 10, pacing: 30, credit: 30, buffer: 0, window: 0, path: 0 });
});

test("LimitClock counts up to the last stop when it is asked about an earlier time", () => {
  const clock = new LimitClock(0);
  clock.stopped(50, "window");
  expect(clock.times(Number.NEGATIVE_INFINITY)).toMatchObject({ application: 50, window: 0 });
});
