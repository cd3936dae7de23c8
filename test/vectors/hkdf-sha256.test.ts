import { expect, test } from "bun:test";
import { hkdf } from "../../src/wire/noise/primitives.ts";
import { hex } from "../support/bytes.ts";
import file from "./wycheproof-hkdf-sha256.json";

const cases = file.testGroups.flatMap((group) => group.tests);

test("the file holds 27 cases", () => {
  expect(cases.length).toBe(27);
});

for (const { tcId, ikm, salt, info, size, okm, result } of cases)
  if (result === "valid")
    test(`hkdf() agrees with case ${tcId}`, () => {
      expect(hkdf(hex(salt), hex(ikm), hex(info), size).toHex()).toBe(okm);
    });
  else
    test(`hkdf() refuses the ${size} bytes of case ${tcId}`, () => {
      expect(() => hkdf(hex(salt), hex(ikm), hex(info), size)).toThrow(RangeError);
    });
