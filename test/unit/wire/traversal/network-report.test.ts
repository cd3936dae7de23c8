import { expect, test } from "bun:test";
import fc from "fast-check";
import { mappingKinds } from "../../../../src/wire/traversal/mapping.ts";
import {
  hiddenReport,
  mappers,
  type NetworkReport,
  placementIn,
  reaches,
  reportFromFields,
  reportToFields,
} from "../../../../src/wire/traversal/network-report.ts";

const report: NetworkReport = {
  hidden: false,
  ipv4: "translated",
  ipv6: "none",
  mapping: { kind: "sequential", step: -2 },
  mappers: ["pcp", "upnp"],
};

test("reportToFields() and back keep every report", () => {
  const reach = fc.constantFrom(...reaches);
  const mapping = fc
    .tuple(fc.constantFrom(...mappingKinds), fc.integer({ min: -8, max: 8 }))
    .map(([kind, step]) => ({ kind, step: kind === "sequential" ? step : 0 }));
  const any = fc.record({
    hidden: fc.constant(false),
    ipv4: reach,
    ipv6: reach,
    mapping,
    mappers: fc.subarray([...mappers]),
  });
  fc.assert(fc.property(any, (each) => expect(reportFromFields(reportToFields(each))).toEqual(each)));
});

test("reportToFields() gives the numbers of PROTOCOL.md §7.4", () => {
  expect(reportToFields(report)).toEqual({ hidden: false, ipv4: 3, ipv6: 1, mapping: 3, step: 126, mappers: 5 });
});

test("reportFromFields() takes numbers of a newer version for nothing known", () => {
  const strange = { hidden: false, ipv4: 9, ipv6: 200, mapping: 77, step: 3, mappers: 0xf8 };
  expect(reportFromFields(strange)).toEqual({ ...hiddenReport, hidden: false });
});

test("reportFromFields() believes nothing else of who hides", () => {
  expect(reportFromFields({ ...reportToFields(report), hidden: true })).toEqual(hiddenReport);
});

test("placementIn() tells a network without NAT, and one without UDP, from what a NAT does", () => {
  expect(placementIn(report)).toBe("sequential");
  expect(placementIn({ ...report, ipv4: "own" })).toBe("open");
  expect(placementIn({ ...report, ipv4: "blocked" })).toBe("blocked");
});
