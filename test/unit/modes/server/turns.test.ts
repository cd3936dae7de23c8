import { expect, test } from "bun:test";
import type { Clock } from "../../../../src/modes/server/clock.ts";
import { Turns } from "../../../../src/modes/server/turns.ts";

/** One on which each task takes a quarter of a millisecond. */
function stage() {
  let now = 0;
  const clock: Clock = { now: () => now, unixMs: () => now, after: () => () => {} };
  const [done, faults]: [number[], unknown[]] = [[], []];
  const turns = new Turns(clock, (error) => faults.push(error));
  const task = (number: number) => () => {
    now += 0.25;
    done.push(number);
    if (number < 0) throw new Error("a defect");
  };
  return { turns, task, done, faults };
}

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("Turns does a little at once and the rest in turns of its own, in the order in which it came", async () => {
  const { turns, task, done } = stage();
  for (let number = 1; number <= 6; number++) turns.run(task(number));
  expect(done).toEqual([1, 2]);
  await nextTurn();
  expect(done).toEqual([1, 2, 3, 4]);
  turns.run(task(7));
  expect(done).toEqual([1, 2, 3, 4]);
  await nextTurn();
  await nextTurn();
  expect(done).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("what a task of Turns adds waits for its turn like everything else", async () => {
  const { turns, task, done } = stage();
  const withAnother = (number: number) => () => {
    task(number)();
    turns.run(task(number + 10));
  };
  for (const number of [1, 2, 3]) turns.run(withAnother(number));
  expect(done).toEqual([1, 11]);
  await nextTurn();
  expect(done).toEqual([1, 11, 2, 3]);
  await nextTurn();
  expect(done).toEqual([1, 11, 2, 3, 12, 13]);
});

test("Turns.answer() resolves to what the task returns when its turn has come", async () => {
  const { turns, task, done } = stage();
  for (const number of [1, 2]) turns.run(task(number));
  const answer = turns.answer(() => done.length);
  expect(done).toEqual([1, 2]);
  turns.run(task(3));
  expect(await answer).toBe(2);
});

test("Turns.answer() rejects with what the task throws", async () => {
  const { turns, faults } = stage();
  const failing = (): number => {
    throw new Error("a defect");
  };
  expect(await turns.answer(failing).catch((error: unknown) => String(error))).toBe("Error: a defect");
  expect(faults).toEqual([]);
});

test("Turns goes on after a task that throws", async () => {
  const { turns, task, done, faults } = stage();
  for (const number of [-1, -2, 3]) turns.run(task(number));
  await nextTurn();
  expect(done).toEqual([-1, -2, 3]);
  expect(faults).toHaveLength(2);
});
