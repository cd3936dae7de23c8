import { expect, test } from "bun:test";
import {
  decodeNatPmp,
  encodeExternalRequest,
  encodeMapRequest,
} from "../../../../../src/wire/traversal/port-mapping/nat-pmp.ts";
import { hex } from "../../../../support/bytes.ts";
import { recorded } from "../../../../support/recorded-gateway.ts";

test("NAT-PMP requests are those of RFC 6886 §3.2, §3.3 and §3.4", () => {
  expect(encodeExternalRequest()).toEqual(hex("00 00"));
  expect(encodeMapRequest(40_000, 50_000, 7_200)).toEqual(hex("00 01 0000 9c40 c350 00001c20"));
  expect(encodeMapRequest(40_000, 0, 0)).toEqual(hex("00 01 0000 9c40 0000 00000000"));
});

test("decodeNatPmp() reads what miniupnpd answered", () => {
  const epochSeconds = 0x86bb;
  const { external, mapped, deleted } = recorded.natPmp;
  expect(decodeNatPmp(hex(external))).toEqual({ kind: "external", result: 0, epochSeconds, ip: "28.1.0.10" });
  const common = { kind: "map", result: 0, epochSeconds, internalPort: 40_000 } as const;
  expect(decodeNatPmp(hex(mapped))).toEqual({ ...common, externalPort: 40_000, lifetimeSeconds: 7_200 });
  expect(decodeNatPmp(hex(deleted))).toEqual({ ...common, externalPort: 0, lifetimeSeconds: 0 });
});

test("decodeNatPmp() knows a gateway that speaks PCP alone", () => {
  expect(decodeNatPmp(hex(recorded.pcp.otherVersion))).toEqual({ kind: "other-version" });
});

test("decodeNatPmp() leaves what answers a question in PCP to PCP", () => {
  expect(decodeNatPmp(hex(recorded.pcp.mapped))).toBeNull();
  expect(decodeNatPmp(hex("00 81 0001 00000007 00000000"))).toBeNull();
});

test("decodeNatPmp() refuses questions, mappings of TCP, and what is too short or too long", () => {
  const [external, mapped] = [hex(recorded.natPmp.external), hex(recorded.natPmp.mapped)];
  for (const bad of [
    encodeExternalRequest(),
    encodeMapRequest(40_000, 40_000, 7_200),
    mapped.with(1, 0x82),
    mapped.subarray(0, 15),
    external.subarray(0, 11),
    new Uint8Array(1_101).with(1, 0x80),
  ])
    expect(decodeNatPmp(bad)).toBeNull();
});
