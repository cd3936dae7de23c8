import { expect, test } from "bun:test";
import fc from "fast-check";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { classifyMapping, isHard, MAX_STEP, mappingKinds } from "../../../../src/wire/traversal/mapping.ts";

const at = (port: number, ip = "28.1.0.7"): UdpAddress => ({ ip, port });
const seen = (ports: readonly number[]) => ports.map((port) => at(port));

test("one port for all destinations is independent, whatever other sockets get", () => {
  expect(classifyMapping(seen([40_000, 40_000]), [])).toEqual({ kind: "independent", step: 0 });
});

test("a single port of the server tells nothing", () => {
  expect(classifyMapping(seen([40_000]), seen([1, 2, 3, 4])).kind).toBe("unknown");
  expect(classifyMapping([], []).kind).toBe("unknown");
});

test("ports in a row are sequential with the row's step, up or down, also where others take some in between", () => {
  const step = fc.integer({ min: 1, max: 4 });
  fc.assert(
    fc.property(
      step,
      fc.constantFrom(1, -1),
      fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 3, maxLength: 3 }),
      (by, way, skips) => {
        fc.pre(skips.includes(0));
        const ports = skips.reduce((row, skipped) => [...row, (row.at(-1) ?? 0) + way * by * (1 + skipped)], [50_000]);
        expect(classifyMapping(seen([49_000, 49_001]), seen(ports))).toEqual({ kind: "sequential", step: way * by });
      },
    ),
  );
});

test("steps of more than eight are no row; ports close together are a block, far apart random", () => {
  const far = [40_000, 40_000 + MAX_STEP + 1, 40_000 + 2 * (MAX_STEP + 1)];
  expect(classifyMapping(seen([40_100, 40_200]), seen(far)).kind).toBe("block");
  expect(classifyMapping(seen([40_100, 41_300]), seen(far)).kind).toBe("random");
  expect(classifyMapping(seen([40_100, 40_200]), seen([40_300, 40_290, 40_280])).kind).toBe("block");
});

test("several outside addresses are a pool, whatever the ports", () => {
  expect(classifyMapping([at(40_000), at(40_000, "28.1.0.8")], []).kind).toBe("pool");
  expect(classifyMapping(seen([40_000, 40_001]), [at(40_002), at(40_003, "28.1.0.9"), at(40_004)]).kind).toBe("pool");
});

test("too few answers of a survey are taken for the worst", () => {
  expect(classifyMapping(seen([40_000, 40_001]), [at(40_002), null, at(40_003), null]).kind).toBe("random");
});

test("hard are those whose next port is another one", () => {
  expect(mappingKinds.filter((kind) => isHard({ kind, step: 0 }))).toEqual(["sequential", "block", "pool", "random"]);
});
