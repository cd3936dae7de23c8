import { expect, test } from "bun:test";
import fc from "fast-check";
import { SequenceWindow } from "../../../../src/wire/traversal/sequence-window.ts";

test("accept() agrees with the rule spelled out: new, and less than 64 behind the highest", () => {
  const near = fc.nat(200);
  const anywhere = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 20, arbitrary: near }, anywhere), { maxLength: 300 }), (sequences) => {
      const window = new SequenceWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const sequence of sequences) {
        const isNew = !seen.has(sequence) && sequence > highest - 64;
        expect(window.accept(sequence)).toBe(isNew);
        seen.add(sequence);
        highest = Math.max(highest, sequence);
      }
    }),
  );
});

test("bad input 6: after the highest number of all, low ones stay refused", () => {
  const window = new SequenceWindow();
  expect([0, 2 ** 32 - 1, 1, 0, 2 ** 32 - 2].map((sequence) => window.accept(sequence))).toEqual([
    true,
    true,
    false,
    false,
    true,
  ]);
});
