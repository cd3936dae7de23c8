import { expect, test } from "bun:test";
import fc from "fast-check";
import { WindowedFilter } from "../../../../src/wire/congestion/windowed-filter.ts";

test("WindowedFilter knows the best value of its span", () => {
  const step = fc.record({ passes: fc.nat(4), value: fc.nat(50) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), fc.boolean(), (steps, highest) => {
      const filter = new WindowedFilter(10, (a, b) => (highest ? a > b : a < b));
      const seen: { at: number; value: number }[] = [];
      let at = 0;
      for (const { passes, value } of steps) {
        at += passes;
        filter.update(at, value);
        seen.push({ at, value });
        const within = seen.filter((entry) => at - entry.at <= 10).map((entry) => entry.value);
        expect(filter.value).toBe(highest ? Math.max(...within) : Math.min(...within));
      }
    }),
    { numRuns: 2_000 },
  );
});

test("WindowedFilter has no value before the first", () => {
  expect(new WindowedFilter(1, (a, b) => a > b).value).toBeNull();
});
