import { expect, test } from "bun:test";
import { type NetworkView, ownReport, ownStanding } from "../../../../src/modes/peer/own-network.ts";
import { unknownMapping } from "../../../../src/wire/traversal/mapping.ts";

const home = "192.168.1.7";
const own6 = "2001:db8::7";
const sockets = [
  { socket: 0, family: 4, port: 40_000 },
  { socket: 1, family: 6, port: 40_001 },
] as const;
const servers = [{ ip: "203.0.113.1", port: 7_420 }];
const view: NetworkView = { sockets, servers, reflexive: [], unanswered: [], mapping: unknownMapping, mappers: [] };

test("ownReport() tells a NAT from an address of one's own, for each family", () => {
  const reflexive = [
    { ip: "198.51.100.9", port: 1_025 },
    { ip: own6, port: 40_001 },
  ];
  const report = ownReport({ ...view, reflexive }, [home, own6]);
  expect(report).toEqual({ hidden: false, ipv4: "translated", ipv6: "own", mapping: unknownMapping, mappers: [] });
  expect(ownReport({ ...view, reflexive }, ["198.51.100.9"]).ipv4).toBe("translated");
  expect(ownReport({ ...view, reflexive: [{ ip: home, port: 40_000 }] }, [home]).ipv4).toBe("own");
});

test("ownReport() does not say blocked before it is known", () => {
  expect(ownReport(view, [home, own6])).toMatchObject({ ipv4: "unknown", ipv6: "unknown" });
  const blocked: NetworkView = { ...view, mapping: { kind: "blocked", step: 0 }, unanswered: [4, 6] };
  expect(ownReport(blocked, [home])).toMatchObject({ ipv4: "blocked", ipv6: "none" });
  expect(ownReport(blocked, [own6])).toMatchObject({ ipv4: "none", ipv6: "blocked" });
});

test("ownReport() of a machine in no network has neither, and without sockets UDP is blocked", () => {
  expect(ownReport(view, [])).toMatchObject({ ipv4: "none", ipv6: "none" });
  expect(ownReport({ ...view, sockets: [] }, [home])).toMatchObject({ ipv4: "blocked", ipv6: "none" });
});

test("ownReport() counts no IPv6 address that leads nowhere", () => {
  expect(ownReport(view, [home, "fd00::7"]).ipv6).toBe("none");
});

test("ownReport() on one machine with the server has nothing in between", () => {
  const reflexive = [{ ip: "127.0.0.1", port: 40_000 }];
  const here = { ...view, servers: [{ ip: "127.0.0.1", port: 7_420 }], reflexive };
  expect(ownReport(here, [])).toMatchObject({ ipv4: "own", ipv6: "none" });
  expect(ownStanding(here, [home]).placement).toBe("open");
});

test("ownStanding() is as the NAT maps, or blocked without a socket, and counts a mapped port", () => {
  const hard: NetworkView = { ...view, mapping: { kind: "random", step: 0 }, mappers: ["pcp"] };
  expect(ownStanding(hard, [home])).toEqual({ placement: "random", hides: false, ipv6: false, portMapped: true });
  expect(ownStanding({ ...hard, sockets: [] }, [home]).placement).toBe("blocked");
});
