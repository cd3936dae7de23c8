import { expect, test } from "bun:test";
import { routerAnswers } from "../../../../../src/modes/peer/doctor/router-answers.ts";
import type { HomeReport } from "../../../../../src/wire/traversal/port-mapping/home.ts";
import type { Standing } from "../../../../../src/wire/traversal/port-mapping/lane.ts";

const silent: Standing = { kind: "none", why: "silent", code: null };
const refused: Standing = { kind: "none", why: "refused", code: 3 };
const mapped: Standing = { kind: "mapped", external: { ip: "203.0.113.7", port: 40_000 }, leaseMs: 7_200_000 };

function home(ownIp: string, pcp: Standing, natPmp: Standing): HomeReport {
  const protocols = [
    { protocol: "pcp", standing: pcp },
    { protocol: "nat-pmp", standing: natPmp },
  ] as const;
  return { ownIp, gatewayIp: "192.168.1.1", internalPort: 40_000, protocols };
}

test("routerAnswers() has a line for each protocol, and the address of no router", () => {
  const answers = routerAnswers({ state: "mapped", homes: [home("192.168.1.7", refused, mapped)] });
  expect(answers).toEqual({
    portMapping: "mapped",
    portMappers: [
      { protocol: "pcp", state: "refused" },
      { protocol: "nat-pmp", state: "mapped" },
    ],
  });
});

test("routerAnswers() of two routers keeps what tells most", () => {
  const homes = [home("192.168.1.7", silent, mapped), home("10.0.0.7", refused, silent)];
  expect(routerAnswers({ state: "mapped", homes }).portMappers.map(({ state }) => state)).toEqual([
    "refused",
    "mapped",
  ]);
});

test("routerAnswers() leaves out what is for IPv6 alone", () => {
  expect(routerAnswers({ state: "none", homes: [home("2001:db8::7", mapped, silent)] }).portMappers).toEqual([]);
});

test("routerAnswers() does not say none before they have answered", () => {
  expect(routerAnswers({ state: "asking", homes: [] }).portMapping).toBe("unknown");
  expect(routerAnswers({ state: "off", homes: [] })).toEqual({ portMapping: "off", portMappers: [] });
});
