import { expect, test } from "bun:test";
import { EventQueue, type SessionEvent } from "../../../../src/wire/session/events.ts";
import { Indexes } from "../../../../src/wire/session/indexes.ts";
import { Seeded } from "../../../sim/seeded.ts";

function make(): { indexes: Indexes; events: () => SessionEvent[] } {
  const queue = new EventQueue();
  const events = () => {
    const all: SessionEvent[] = [];
    for (let event = queue.shift(); event !== null; event = queue.shift()) all.push(event);
    return all;
  };
  return { indexes: new Indexes(7, 8, new Seeded(1).bytes, queue), events };
}

function added(events: readonly SessionEvent[]): readonly number[] {
  return events.flatMap((event) => (event.kind === "indexes" ? event.add : []));
}

test("Indexes keeps two spares ready and makes the one that is used the current one", () => {
  const { indexes, events } = make();
  const [first = 0, second = 0] = indexes.refill();
  expect(indexes.refill()).toEqual([]);
  expect(added(events()).slice(0, 2)).toEqual([first, second]);
  expect([7, first, second].every((index) => indexes.isLocal(index))).toBe(true);
  expect([indexes.onUsed(0, 7), indexes.onUsed(0, first), indexes.onUsed(0, first)]).toEqual([false, true, false]);
  expect(indexes.refill()).toHaveLength(1);
  events();
  expect(indexes.pollTimeout()).toBe(15_000);
  indexes.handleTimeout(14_999);
  expect(indexes.isLocal(7)).toBe(true);
  indexes.handleTimeout(15_000);
  expect(indexes.isLocal(7)).toBe(false);
  expect(events()).toEqual([{ kind: "indexes", add: [], retire: [7] }]);
});

test("Indexes tells the endpoint of three more before the other end, and gives these out in turn", () => {
  const { indexes, events } = make();
  const spares = indexes.refill();
  const reserve = added(events()).filter((index) => !spares.includes(index));
  expect(reserve).toHaveLength(3);
  expect([indexes.add(), indexes.add()]).toEqual(reserve.slice(0, 2));
  expect(events()).toEqual([]);
  indexes.refill();
  expect(added(events())).toHaveLength(2);
  expect(indexes.add()).toBe(reserve[2] ?? 0);
});

test("Indexes replaces what is no good in its reserve, and keeps what the other end was told", () => {
  const { indexes, events } = make();
  const [spare = 0] = indexes.refill();
  const bad = added(events()).at(-1) ?? 0;
  expect([7, spare].map((index) => indexes.discard(index))).toEqual([false, false]);
  expect(indexes.discard(bad)).toBe(true);
  expect([indexes.isLocal(bad), indexes.isLocal(spare), indexes.isLocal(7)]).toEqual([false, true, true]);
  indexes.refill();
  const [retired, fresh] = events();
  expect(retired).toEqual({ kind: "indexes", add: [], retire: [bad] });
  expect(added(fresh === undefined ? [] : [fresh])).toHaveLength(1);
});

test("Indexes keeps few of those that were, however fast they change", () => {
  const { indexes, events } = make();
  for (let round = 0; round < 100; round++) indexes.setCurrent(0, indexes.add());
  const all = events().flatMap((event) => (event.kind === "indexes" ? [event.add.length - event.retire.length] : []));
  expect(all.reduce((sum, change) => sum + change, 0)).toBe(16);
});

test("Indexes takes the other end's spares in turn, and keeps the last when there are none", () => {
  const { indexes } = make();
  indexes.takeRemoteSpare();
  expect(indexes.remote).toBe(8);
  indexes.onRemoteSpares([20, 21]);
  indexes.takeRemoteSpare();
  expect(indexes.remote).toBe(20);
  for (let index = 0; index < 100; index++) indexes.onRemoteSpares([index]);
  indexes.takeRemoteSpare();
  expect(indexes.remote).toBe(92);
});
