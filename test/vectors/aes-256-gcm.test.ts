import { expect, test } from "bun:test";
import { concat } from "../../src/wire/bytes.ts";
import { AeadKey } from "../../src/wire/noise/primitives.ts";
import { hex } from "../support/bytes.ts";
import file from "./wycheproof-aes-256-gcm.json";

const cases = file.testGroups.flatMap((group) => group.tests);

test("the file holds 68 cases", () => {
  expect(cases.length).toBe(68);
});

for (const { tcId, key, iv, aad, msg, ct, tag, result } of cases) {
  const [nonce, associated, plaintext] = [hex(iv), hex(aad), hex(msg)];
  const sealed = concat(hex(ct), hex(tag));
  if (iv === "")
    test(`AeadKey refuses the empty nonce of case ${tcId}`, () => {
      expect(() => new AeadKey(hex(key)).seal(nonce, associated, plaintext)).toThrow(RangeError);
      expect(() => new AeadKey(hex(key)).open(nonce, associated, sealed)).toThrow(RangeError);
    });
  else if (result === "valid")
    test(`AeadKey seals and opens case ${tcId}`, () => {
      expect(new AeadKey(hex(key)).seal(nonce, associated, plaintext).toHex()).toBe(ct + tag);
      expect(new AeadKey(hex(key)).open(nonce, associated, sealed)?.toHex()).toBe(msg);
    });
  else
    test(`AeadKey.open() refuses the changed tag of case ${tcId}`, () => {
      expect(new AeadKey(hex(key)).open(nonce, associated, sealed)).toBeNull();
    });
}
