import { expect, test } from "bun:test";
import type { Clock } from "../../../../src/modes/server/clock.ts";
import { Turns } from "../../../../src/modes/server/turns.ts";

/** One on which each task takes a millisecond. */
function stage() {
  let now = 0;
  const clock: Clock = { now: () => now, unixMs: () => now, after: () => () => {} };
  const [done, faults]: [number[], unknown[]] = [[], []];
  const turns = new Turns(clock, (error) => faults.push(error));
  const task = (number: number) => () => {
    now++;
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

test("Turns goes on after a task that throws", async () => {
  const { turns, task, done, faults } = stage();
  for (const number of [-1, -2, 3]) turns.run(task(number));
  await nextTurn();
  expect(done).toEqual([-1, -2, 3]);
  expect(faults).toHaveLength(2);
});
