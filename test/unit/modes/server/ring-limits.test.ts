import { expect, test } from "bun:test";
import { defaultLimits, type Limits } from "../../../../src/modes/cli/limits.ts";
import { Refusal } from "../../../../src/modes/server/refusal.ts";
import { RingLimits } from "../../../../src/modes/server/ring-limits.ts";
import { limitsPlace } from "./limits-place.ts";
import { ManualClock } from "./manual-clock.ts";

const person = (number: number) => new Uint8Array(16).fill(number);

/** Who rings whom, and how often at a time; on one node after the other. @returns how many milliseconds each has to wait; 0 for none */
async function waits(
  limits: Limits,
  rings: readonly (readonly [asker: number, asked: number, open: number])[],
  numberOfNodes = 1,
) {
  const { buckets } = limitsPlace(new ManualClock());
  const nodes = Array.from({ length: numberOfNodes }, () => new RingLimits(buckets, limits));
  return Promise.all(rings.map(([asker, asked, open], at) => waitMs(nodes[at % numberOfNodes], asker, asked, open)));
}

async function waitMs(node: RingLimits | undefined, asker: number, asked: number, open = 1): Promise<number> {
  try {
    await node?.take(person(asker), person(asked), open);
    return 0;
  } catch (error) {
    if (error instanceof Refusal && error.code === "limited") return error.retryMs;
    throw error;
  }
}

test("bad input 88: each limit of rings is a setting", async () => {
  const limits = { ...defaultLimits, "limit-rings": 2, "limit-rings-unanswered": 1, "limit-rings-from-strangers": 1 };
  expect(
    await waits(limits, [
      [1, 2, 1],
      [1, 3, 1],
      [1, 4, 1],
    ]),
  ).toEqual([0, 0, 30_000]);
  expect(
    await waits(limits, [
      [1, 2, 1],
      [1, 2, 2],
    ]),
  ).toEqual([0, 1_000]);
  expect(
    await waits(limits, [
      [1, 9, 1],
      [2, 9, 1],
      [3, 9, 1],
    ]),
  ).toEqual([0, 0, 60_000]);
});

test("0 turns a limit of rings off", async () => {
  const off = { ...defaultLimits, "limit-rings": 0, "limit-rings-unanswered": 0, "limit-rings-from-strangers": 0 };
  const many = Array.from({ length: 500 }, (_, at) => [1, 2, at] as const);
  expect(new Set(await waits(off, many))).toEqual(new Set([0]));
});

test("bad input 88: rings are counted over all nodes, whoever rings and whoever is rung", async () => {
  const atMost = async (rings: readonly (readonly [number, number, number])[]) =>
    (await waits(defaultLimits, rings, 3)).filter((each) => each === 0).length;
  expect(await atMost(Array.from({ length: 30 }, (_, at) => [1, 10 + at, 1] as const))).toBe(10);
  expect(await atMost(Array.from({ length: 30 }, (_, at) => [10 + at, 1, 1] as const))).toBe(10);
});

test("who has accepted is rung more often, over all nodes that know of it", async () => {
  const { buckets } = limitsPlace(new ManualClock());
  const nodes = [new RingLimits(buckets), new RingLimits(buckets)];
  for (const node of nodes) node.acquaint(person(1), person(2));
  const outcomes: number[] = [];
  for (let at = 0; at < 130; at++) outcomes.push(await waitMs(nodes[at % 2], 1, 2));
  expect([outcomes.lastIndexOf(0), outcomes.at(-1)]).toEqual([119, 500]);
});
