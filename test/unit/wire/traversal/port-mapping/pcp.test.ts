import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodePcp, encodePcpMap } from "../../../../../src/wire/traversal/port-mapping/pcp.ts";
import { hex } from "../../../../support/bytes.ts";
import { recorded } from "../../../../support/recorded-gateway.ts";

const nonce = hex("0102030405060708090a0b0c");
const request = { ownIp: "192.168.1.101", nonce, internalPort: 40_001, lifetimeSeconds: 7_200 };

test("encodePcpMap() writes the header and the MAP payload of RFC 6887 §7.1 and §11.1", () => {
  expect(encodePcpMap({ ...request, suggested: { ip: null, port: 40_001 } })).toEqual(
    hex(
      "02 01 0000 00001c20 00000000000000000000ffffc0a80165 0102030405060708090a0b0c 11 000000 9c41 9c41 00000000000000000000ffff00000000",
    ),
  );
});

test("encodePcpMap() suggests the address that was granted before, and any of the same family where none was", () => {
  const end = (bytes: Uint8Array) => bytes.subarray(42).toHex();
  expect(end(encodePcpMap({ ...request, suggested: { ip: "28.1.0.10", port: 50_000 } }))).toBe(
    "c35000000000000000000000ffff1c01000a",
  );
  const six = { ...request, ownIp: "2001:db8:1:1::101", suggested: { ip: null, port: 40_003 } };
  expect(end(encodePcpMap(six))).toBe(`9c43${"00".repeat(16)}`);
});

test("decodePcp() reads what miniupnpd granted", () => {
  expect(decodePcp(hex(recorded.pcp.mapped))).toEqual({
    kind: "map",
    result: 0,
    lifetimeSeconds: 7_200,
    epochSeconds: 0x86bc,
    nonce,
    internalPort: 40_001,
    external: { ip: "28.1.0.10", port: 40_001 },
  });
  expect(decodePcp(hex(recorded.pcp.pinhole))).toMatchObject({ external: { ip: "2001:db8:1:1::101", port: 40_003 } });
  expect(decodePcp(hex(recorded.pcp.notAuthorized))).toMatchObject({ kind: "map", result: 2 });
});

test("decodePcp() knows a gateway that speaks NAT-PMP alone, or a later PCP", () => {
  expect(decodePcp(hex("00 81 0001 00000007"))).toEqual({ kind: "other-version" });
  expect(decodePcp(hex(`03 81 00 01 ${"00".repeat(56)}`))).toEqual({ kind: "other-version" });
});

test("decodePcp() leaves what answers a question in NAT-PMP to NAT-PMP", () => {
  expect(decodePcp(hex(recorded.pcp.otherVersion))).toBeNull();
  for (const bytes of Object.values(recorded.natPmp)) expect(decodePcp(hex(bytes))).toBeNull();
});

test("decodePcp() refuses questions, other operations and protocols, and what is too short, too long or uneven", () => {
  const good = hex(recorded.pcp.mapped);
  const changed = (at: number, value: number) => good.with(at, value);
  const long = new Uint8Array(1_104);
  long.set(good);
  for (const bad of [changed(1, 0x01), changed(1, 0x82), changed(36, 6), good.subarray(0, 59), long])
    expect(decodePcp(bad)).toBeNull();
  expect(decodePcp(Uint8Array.from([...good, 0]))).toBeNull();
  expect(decodePcp(Uint8Array.from([...good, 1, 2, 3, 4]))).toEqual(decodePcp(good));
});

test("decodePcp() reads what stands in any answer, and no bytes make it throw", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.nat(65_535),
      fc.nat(65_535),
      (nonce, inner, outer) => {
        const bytes = encodePcpMap({
          ...request,
          nonce,
          internalPort: inner,
          suggested: { ip: "28.1.0.10", port: outer },
        });
        expect(decodePcp(bytes)).toBeNull();
        const answer = bytes.with(1, 0x81).fill(0, 8, 24);
        const external = { ip: "28.1.0.10", port: outer };
        expect(decodePcp(answer)).toMatchObject({ kind: "map", nonce, internalPort: inner, external });
      },
    ),
  );
});
