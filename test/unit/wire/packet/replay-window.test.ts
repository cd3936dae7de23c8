import { expect, test } from "bun:test";
import fc from "fast-check";
import { MAX_PACKET_NUMBER } from "../../../../src/wire/packet/header.ts";
import { ReplayWindow } from "../../../../src/wire/packet/replay-window.ts";

const WINDOW = 32_768;

test("ReplayWindow takes each number once", () => {
  const window = new ReplayWindow();
  for (const number of [0, 5, 3, 31, 32, 33, 1]) {
    expect(window.isFresh(number)).toBe(true);
    window.mark(number);
    expect(window.isFresh(number)).toBe(false);
  }
});

test("ReplayWindow holds exactly 32 768 numbers, wherever its newest stands in a block", () => {
  for (let newest = 100_000; newest < 100_064; newest++) {
    const window = new ReplayWindow();
    window.mark(newest);
    expect(window.isFresh(newest - WINDOW + 1)).toBe(true);
    expect(window.isFresh(newest - WINDOW)).toBe(false);
  }
});

test("ReplayWindow remembers the oldest number in it while the newest moves on one by one", () => {
  const window = new ReplayWindow();
  const first = 77;
  window.mark(first);
  for (let newest = first + 1; newest < first + WINDOW; newest++) {
    window.mark(newest);
    if (window.isFresh(first)) throw new Error(`forgotten at ${newest}`);
  }
  expect(window.isFresh(first)).toBe(false);
});

test("ReplayWindow is empty again after a leap, and reaches 2^48 − 1", () => {
  const window = new ReplayWindow();
  for (let number = 0; number < 2_000; number++) window.mark(number);
  window.mark(MAX_PACKET_NUMBER);
  expect(window.isFresh(MAX_PACKET_NUMBER)).toBe(false);
  for (let age = 1; age < WINDOW; age++)
    if (!window.isFresh(MAX_PACKET_NUMBER - age)) throw new Error(`a number of age ${age} never came`);
  expect(window.isFresh(MAX_PACKET_NUMBER - WINDOW)).toBe(false);
});

test("ReplayWindow.isFresh() changes nothing", () => {
  const window = new ReplayWindow();
  window.mark(10);
  window.isFresh(2 ** 40);
  expect([window.isFresh(9), window.isFresh(10), window.isFresh(11)]).toEqual([true, false, true]);
});

test("ReplayWindow agrees with a set of all numbers that came", () => {
  // Steps mostly small, some as wide as the window, some far beyond, from starts where 32 bits would wrap.
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -70, max: 70 }) },
    { weight: 3, arbitrary: fc.integer({ min: -WINDOW - 70, max: WINDOW + 70 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 31 - 1 }) },
  );
  const start = fc.constantFrom(0, 1, 31, 32_767, 2 ** 31 - 5, 2 ** 32 - 5, 2 ** 40);
  const property = fc.property(start, fc.array(step, { minLength: 1, maxLength: 200 }), (from, steps) => {
    const window = new ReplayWindow();
    const model = new Model();
    let at = from;
    for (const step of steps) {
      at = Math.max(0, at + step);
      expect(window.isFresh(at)).toBe(model.isFresh(at));
      if (!model.isFresh(at)) continue;
      window.mark(at);
      model.mark(at);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

class Model {
  readonly #came = new Set<number>();
  #newest = -1;

  isFresh(number: number): boolean {
    return number > this.#newest - WINDOW && !this.#came.has(number);
  }

  mark(number: number): void {
    this.#came.add(number);
    this.#newest = Math.max(this.#newest, number);
  }
}
