import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalIp, formatIp, parseIp, scopeOf } from "../../../../src/wire/address.ts";
import { candidateFromFields, candidateToFields, candidateTypes } from "../../../../src/wire/traversal/candidate.ts";

const fields = (ip: string, port = 40_000, type = 0) => ({ type, address: parseIp(ip) ?? new Uint8Array(), port });

test("candidateFromFields() gives back what candidateToFields() took, for every address that may be announced", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...candidateTypes),
      address,
      fc.integer({ min: 1, max: 0xffff }),
      (type, bytes, port) => {
        const ip = formatIp(bytes);
        fc.pre(["public", "private", "shared"].includes(scopeOf(ip)));
        expect(candidateFromFields(candidateToFields(type, { ip, port }))).toEqual({ type, address: { ip, port } });
      },
    ),
  );
});

test("bad input 92: addresses that no one may announce are refused", () => {
  for (const ip of [
    "127.0.0.1",
    "0.0.0.0",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "fe80::1",
    "ff02::1",
  ])
    expect(candidateFromFields(fields(ip))).toBeNull();
  const mapped = Uint8Array.fromHex("00000000000000000000ffff7f000001");
  expect(candidateFromFields({ type: 0, address: mapped, port: 40_000 })).toBeNull();
  for (const port of [0, 65_536]) expect(candidateFromFields(fields("28.1.0.7", port))).toBeNull();
});

test("bad input 92: what is no address, and a type not in the list, are refused", () => {
  for (const length of [0, 1, 3, 5, 15])
    expect(candidateFromFields({ type: 0, address: new Uint8Array(length).fill(28), port: 1 })).toBeNull();
  for (const type of [4, 5, 255]) expect(candidateFromFields(fields("28.1.0.7", 40_000, type))).toBeNull();
});

test("candidateFromFields() spells an IPv4 address one way, however it was written", () => {
  const mapped = Uint8Array.fromHex("00000000000000000000ffff1c010007");
  const candidate = candidateFromFields({ type: 1, address: mapped, port: 5 });
  expect(candidate).toEqual({ type: "server-reflexive", address: { ip: "28.1.0.7", port: 5 } });
  expect(canonicalIp(candidate?.address.ip ?? "")).toBe("28.1.0.7");
});
