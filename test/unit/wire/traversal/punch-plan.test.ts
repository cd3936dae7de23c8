import { expect, test } from "bun:test";
import fc from "fast-check";
import { isHard, type Mapping, mappingKinds } from "../../../../src/wire/traversal/mapping.ts";
import { punchPlan } from "../../../../src/wire/traversal/punch-plan.ts";

const mapping = (kind: Mapping["kind"]): Mapping => ({ kind, step: kind === "sequential" ? 1 : 0 });
const anyMapping = fc.constantFrom(...mappingKinds).map(mapping);

test("each kind of NAT has its search when the other end is easy", () => {
  const searches = mappingKinds.map((kind) => [kind, punchPlan(mapping(kind), mapping("independent")).ours]);
  expect(Object.fromEntries(searches)).toEqual({
    unknown: null,
    blocked: null,
    independent: null,
    sequential: "predict",
    block: "window",
    pool: null,
    random: "birthday",
  });
});

test("whoever opens is sought by the other, and nobody seeks who is not: both ends come to matching plans", () => {
  fc.assert(
    fc.property(anyMapping, anyMapping, (own, theirs) => {
      const [here, there] = [punchPlan(own, theirs), punchPlan(theirs, own)];
      expect(here.ours !== null).toBe(there.seeksTheirs);
      expect(there.ours !== null).toBe(here.seeksTheirs);
    }),
  );
});

test("of two hard NATs only two sequential ones are tried", () => {
  const hard = mappingKinds.map(mapping).filter(isHard);
  for (const own of hard)
    for (const theirs of hard) {
      const isForetold = own.kind === "sequential" && theirs.kind === "sequential";
      expect(punchPlan(own, theirs)).toEqual({ ours: isForetold ? "predict" : null, seeksTheirs: isForetold });
    }
});

test("nothing is tried where UDP is blocked", () => {
  for (const kind of mappingKinds)
    for (const plan of [punchPlan(mapping("blocked"), mapping(kind)), punchPlan(mapping(kind), mapping("blocked"))])
      expect(plan).toEqual({ ours: null, seeksTheirs: false });
});
