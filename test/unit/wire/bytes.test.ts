import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  compareBytes,
  concat,
  copyBytes,
  equalBytes,
  fromBase32,
  fromHex,
  toBase32,
  toHex,
  utf8,
} from "../../../src/wire/bytes.ts";

test("toBase32() follows the test values of RFC 4648 §10, lower case and unpadded", () => {
  const values = {
    "": "",
    f: "my",
    fo: "mzxq",
    foo: "mzxw6",
    foob: "mzxw6yq",
    fooba: "mzxw6ytb",
    foobar: "mzxw6ytboi",
  };
  for (const [plain, encoded] of Object.entries(values)) expect(toBase32(utf8(plain))).toBe(encoded);
});

test("fromBase32() reads back any bytes in any case and has one spelling for each", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(fromBase32(toBase32(bytes).toUpperCase())).toEqual(bytes)));
  for (const odd of ["mz", "m", "mzxr", "my======", "m1", "mzx"]) expect(fromBase32(odd)).toBeNull();
});

test("fromHex() reads whole pairs only", () => {
  expect(fromHex("00fF")).toEqual(Uint8Array.of(0, 255));
  expect(toHex(Uint8Array.of(0, 255))).toBe("00ff");
  for (const odd of ["0", "0g", "0x00", " 00"]) expect(fromHex(odd)).toBeNull();
});

test("concat(), equalBytes() and compareBytes() go by content", () => {
  expect(concat(Uint8Array.of(1), new Uint8Array(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  expect(compareBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBeLessThan(0);
  expect(compareBytes(Uint8Array.of(2), Uint8Array.of(1, 3))).toBeGreaterThan(0);
  expect(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBeLessThan(0);
});

test("copyBytes() copies a part, also within one array", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  copyBytes(bytes, 1, 3, bytes, 2);
  expect(bytes).toEqual(Uint8Array.of(1, 2, 2, 3, 5));
});
