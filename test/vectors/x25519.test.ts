import { expect, test } from "bun:test";
import { WireError } from "../../src/wire/errors.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { hex } from "../support/bytes.ts";
import file from "./wycheproof-x25519.json";

const cases = file.testGroups.flatMap((group) => group.tests);
const zeroSecret = cases.filter(({ flags }) => flags.includes("ZeroSharedSecret"));

test("the file holds 169 cases, 31 of them with an all-zero secret", () => {
  expect([cases.length, zeroSecret.length]).toEqual([169, 31]);
});

for (const { tcId, private: privateKey, public: publicKey, shared, flags } of cases)
  if (flags.includes("ZeroSharedSecret"))
    test(`KeyPair.dh() refuses the all-zero secret of case ${tcId}`, () => {
      expect(() => new KeyPair(hex(privateKey)).dh(hex(publicKey))).toThrow(WireError);
    });
  else
    test(`KeyPair.dh() agrees with case ${tcId} (${flags.join(", ")})`, () => {
      expect(new KeyPair(hex(privateKey)).dh(hex(publicKey)).toHex()).toBe(shared);
    });
