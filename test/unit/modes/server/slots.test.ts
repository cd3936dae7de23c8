import { expect, test } from "bun:test";
import { Slots } from "../../../../src/modes/server/slots.ts";
import { ManualClock } from "./manual-clock.ts";

function task() {
  const { promise, resolve } = Promise.withResolvers<string>();
  const state = { started: false, finish: () => resolve("done"), run: async () => ((state.started = true), promise) };
  return state;
}

test("bad input 62: Slots run so many at once, let a few wait and tell the others that they are busy", async () => {
  const slots = new Slots(new ManualClock(), 2, 1, 5_000);
  const tasks = [task(), task(), task(), task()];
  const outcomes = tasks.map((each) => slots.run(each.run).catch((error: unknown) => error));
  expect(await outcomes[3]).toMatchObject({ name: "Refusal", code: "busy", retryMs: 5_000 });
  expect(tasks.map(({ started }) => started)).toEqual([true, true, false, false]);
  tasks[0]?.finish();
  expect(await outcomes[0]).toBe("done");
  await Promise.resolve();
  expect(tasks[2]?.started).toBe(true);
  tasks[1]?.finish();
  tasks[2]?.finish();
  expect(await Promise.all(outcomes.slice(1, 3))).toEqual(["done", "done"]);
});

test("Slots.run() gives up after the longest wait, and its place goes to the next", async () => {
  const clock = new ManualClock();
  const slots = new Slots(clock, 1, 8, 5_000);
  const [first, second, third] = [task(), task(), task()];
  const running = slots.run(first.run);
  const waiting = slots.run(second.run).catch((error: unknown) => error);
  clock.advance(4_999);
  const later = slots.run(third.run);
  clock.advance(1);
  expect(await waiting).toMatchObject({ code: "busy" });
  first.finish();
  third.finish();
  expect([await running, await later, second.started]).toEqual(["done", "done", false]);
  expect(clock.pending).toBe(0);
});

test("Slots.run() passes on what a task throws and frees its slot", async () => {
  const slots = new Slots(new ManualClock(), 1, 0, 1_000);
  const failing = () => Promise.reject(new Error("no"));
  expect(await slots.run(failing).catch((error: unknown) => String(error))).toBe("Error: no");
  expect(await slots.run(() => Promise.resolve(7))).toBe(7);
});
