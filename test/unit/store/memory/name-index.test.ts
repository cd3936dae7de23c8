import { expect, test } from "bun:test";
import fc from "fast-check";
import { NameIndex } from "../../../../src/store/memory/name-index.ts";

const userId = new Uint8Array(16);
const name = fc.string({ minLength: 1, maxLength: 2, unit: fc.constantFrom("a", "b", "c", "-") });
const step = fc.record({ add: fc.boolean(), name });

test("NameIndex keeps names as a sorted set does, whatever comes and goes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), name, fc.nat(20), (steps, after, limit) => {
      const index = new NameIndex();
      const model = new Set<string>();
      for (const { add, name } of steps) {
        const changed = add ? index.add({ userId, name }) : index.remove(name);
        expect(changed).toBe(model.has(name) !== add);
        if (add) model.add(name);
        else model.delete(name);
      }
      const expected = [...model].filter((each) => each > after).sort();
      expect(index.page(after, limit).map((person) => person.name)).toEqual(expected.slice(0, limit));
    }),
  );
});
