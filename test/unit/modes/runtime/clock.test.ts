import { expect, test } from "bun:test";
import { systemClock } from "../../../../src/modes/runtime/clock.ts";

test("after() keeps a delay that is too long for the runtime's timers, and soon() comes after the present turn", async () => {
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = systemClock.after(2 ** 40, () => order.push("far future"));
  systemClock.after(-5, () => {
    order.push("past");
    resolve();
  });
  systemClock.soon(() => order.push("soon"));
  systemClock.soon(() => order.push("never"))();
  order.push("now");
  await promise;
  cancel();
  expect(order.toSorted()).toEqual(["now", "past", "soon"]);
  expect(order[0]).toBe("now");
});

test("now() does not go back", () => {
  const times = Array.from({ length: 1_000 }, () => systemClock.now());
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});
