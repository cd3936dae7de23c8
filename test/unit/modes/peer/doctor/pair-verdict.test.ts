import { expect, test } from "bun:test";
import { type PairFindings, pairVerdict } from "../../../../../src/modes/peer/doctor/pair-verdict.ts";
import type { MappingKind } from "../../../../../src/wire/traversal/mapping.ts";
import { hiddenReport, type NetworkReport } from "../../../../../src/wire/traversal/network-report.ts";

function network(kind: MappingKind, ipv4: NetworkReport["ipv4"] = "translated"): NetworkReport {
  return { hidden: false, ipv4, ipv6: "none", mapping: { kind, step: 0 }, mappers: [] };
}

const cone = network("independent");
const direct = { kind: "direct", remote: "203.0.113.7:4000", rttMs: 20, why: "a better kind of path" } as const;
const relayed = { kind: "relay-ws", remote: "192.0.2.1:7420", rttMs: 50, why: "looking for a direct path" } as const;

function said(findings: Partial<PairFindings>): string {
  return pairVerdict({ path: direct, reason: null, own: cone, theirs: cone, ...findings });
}

test("pairVerdict() says what a relayed session lacks, and what would change it", () => {
  const reason = {
    cause: "UDP is blocked on their side",
    remedy: "a network that lets UDP through would help on their side",
    isFinal: true,
  };
  expect(said({ path: relayed, reason })).toBe(
    "not direct: UDP is blocked on their side; a network that lets UDP through would help on their side",
  );
  expect(said({ path: { ...relayed, kind: "relay-udp" } })).toBe("not direct: looking for a direct path");
});

test("pairVerdict() says by which kind of path it is direct", () => {
  expect(said({ path: { ...direct, kind: "lan" } })).toBe("direct: both are in one network");
  expect(said({ path: { ...direct, remote: "[2001:db8::7]:4000" } })).toBe("direct: over IPv6 no NAT is in the way");
  expect(said({ path: { ...direct, kind: "port-mapped" } })).toBe("direct: a router has opened a port");
});

test("pairVerdict() says whose side made it easy", () => {
  const open = network("independent", "own");
  expect(said({})).toBe("direct: both NATs keep one port for all destinations");
  expect(said({ own: open })).toBe("direct: no NAT is in the way on this side");
  expect(said({ theirs: open })).toBe("direct: no NAT is in the way on their side");
  expect(said({ own: open, theirs: open })).toBe("direct: no NAT is in the way on either side");
});

test("pairVerdict() says whose hard NAT was dealt with, and how", () => {
  expect(said({ theirs: network("random") })).toBe("direct: one of the NAT's random ports was found on their side");
  expect(said({ own: network("sequential") })).toBe("direct: the next port of the NAT was foretold on this side");
  expect(said({ own: network("sequential"), theirs: network("block") })).toBe(
    "direct: the next port of the NAT was foretold on this side, a port out of the NAT's block was found on their side",
  );
});

test("pairVerdict() claims nothing of an end that tells nothing", () => {
  for (const theirs of [null, hiddenReport]) expect(said({ theirs })).toBe("direct: what was tried came through");
});
