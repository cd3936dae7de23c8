import { expect, setDefaultTimeout, test } from "bun:test";
import { Bbr } from "../../src/wire/congestion/bbr.ts";
import { Cubic } from "./cubic.ts";
import { type MakeController, SharedLink } from "./shared-link.ts";

setDefaultTimeout(60_000);

const bbr: MakeController = (random) => new Bbr(random);
const cubic: MakeController = () => new Cubic();

/** 20 Mbit/s, as bytes per ms. */
const RATE = 2_500;
const LATE_MS = 5_000;
const MEASURED_MS = 60_000;

/** The shares of two flows, the second of which comes later, once they have got used to each other; and what is used of the link. */
function sharesOf(rttMs: number, queue: number, first: MakeController, second: MakeController, settleMs = 40_000) {
  const link = new SharedLink({ seed: 1, rate: RATE, queueBytes: queue * RATE * rttMs });
  const flows = [link.bare(rttMs, first), link.bare(rttMs, second)];
  flows[0]?.send();
  link.network.runFor(LATE_MS);
  flows[1]?.send();
  link.network.runFor(settleMs);
  const [a = 0, b = 0] = link.rates(flows, MEASURED_MS);
  return { smallest: Math.min(a, b) / (a + b), used: (a + b) / RATE };
}

for (const rttMs of [20, 40, 50])
  for (const queue of [0.5, 1, 2]) {
    const where = `where ${rttMs} ms and a queue of ${queue} bandwidth-delay products are shared`;

    for (const [name, first, second, settleMs] of [
      ["BBR and a later BBR", bbr, bbr, 80_000],
      ["BBR and a later CUBIC", bbr, cubic, 40_000],
      ["CUBIC and a later BBR", cubic, bbr, 40_000],
    ] as const)
      test(`${name} get at least 40 % each ${where}`, () => {
        const { smallest, used } = sharesOf(rttMs, queue, first, second, settleMs);
        expect(smallest).toBeGreaterThanOrEqual(0.4);
        expect(used).toBeGreaterThan(0.95);
      });
  }

test("BBR and CUBIC get at least 35 % each where they share worst of all round trips of 20 to 50 ms", () => {
  for (const [rttMs, queue] of [
    [25, 2],
    [30, 0.5],
    [35, 1],
  ] as const)
    for (const [first, second] of [
      [bbr, cubic],
      [cubic, bbr],
    ] as const)
      expect(sharesOf(rttMs, queue, first, second).smallest).toBeGreaterThanOrEqual(0.35);
});

test("the rival shares with itself as CUBIC does", () => {
  expect(sharesOf(35, 1, cubic, cubic).smallest).toBeGreaterThanOrEqual(0.4);
});

test("neither starves where the queue is far deeper than it should be", () => {
  for (const [first, second] of [
    [bbr, cubic],
    [cubic, bbr],
  ] as const)
    expect(sharesOf(35, 8, first, second).smallest).toBeGreaterThanOrEqual(0.15);
});
