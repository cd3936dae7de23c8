import { expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { CipherState } from "../../../../src/wire/noise/cipher-state.ts";
import { AeadKey } from "../../../../src/wire/noise/primitives.ts";
import { hex, seededRandom } from "../../../support/bytes.ts";

const key = seededRandom("key")(32);
const ad = utf8("ad");

test("CipherState without a key passes bytes through", () => {
  expect(new CipherState().encryptWithAd(ad, utf8("clear"))).toEqual(utf8("clear"));
  expect(new CipherState().decryptWithAd(ad, utf8("clear"))).toEqual(utf8("clear"));
});

test("CipherState counts its nonces up from 0, in the last 8 bytes", () => {
  const cipher = keyed();
  const nonces = ["00000000 0000000000000000", "00000000 0000000000000001", "00000000 0000000000000002"];
  for (const nonce of nonces)
    expect(cipher.encryptWithAd(ad, utf8("text"))).toEqual(new AeadKey(key).seal(hex(nonce), ad, utf8("text")));
});

test("CipherState.decryptWithAd() stays at its nonce when a message does not open", () => {
  const [sender, receiver] = [keyed(), keyed()];
  const sealed = sender.encryptWithAd(ad, utf8("text"));
  expect(() => receiver.decryptWithAd(utf8("other"), sealed)).toThrow(WireError);
  expect(receiver.decryptWithAd(ad, sealed)).toEqual(utf8("text"));
});

test("CipherState.takeKey() hands out the key once, and the cipher never works again", () => {
  const cipher = keyed();
  expect(cipher.takeKey()).toEqual(key);
  expect(() => cipher.encryptWithAd(ad, utf8("text"))).toThrow("given away");
  expect(() => cipher.decryptWithAd(ad, utf8("text"))).toThrow("given away");
  expect(() => cipher.takeKey()).toThrow("before its first use");
});

test("CipherState.takeKey() refuses a key whose nonces have begun to count", () => {
  const cipher = keyed();
  cipher.encryptWithAd(ad, utf8("text"));
  expect(() => cipher.takeKey()).toThrow("before its first use");
});

function keyed(): CipherState {
  const cipher = new CipherState();
  cipher.initializeKey(key);
  return cipher;
}
