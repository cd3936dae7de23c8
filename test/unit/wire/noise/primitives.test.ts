import { expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import {
  AeadKey,
  createSha256,
  equalSecrets,
  hmacSha256,
  KeyPair,
  sha256,
  sha512,
  SigningKeyPair,
  verifySignature,
} from "../../../../src/wire/noise/primitives.ts";
import { flipBit, hex, seededRandom } from "../../../support/bytes.ts";

const seed = hex("9d61b19deffd5a60ba844af492ec2cc4 4449c5697b326919703bac031cae7f60");
const nonce = new Uint8Array(12);
const associated = utf8("header");

test("KeyPair agrees with RFC 7748 §6.1", () => {
  const alice = new KeyPair(hex("77076d0a7318a57d3c16c17251b26645 df4c2f87ebc0992ab177fba51db92c2a"));
  const bob = new KeyPair(hex("5dab087e624a8a4b79e17f8b83800ee6 6f3bb1292618b6fd1c2f8b27ff88e0eb"));
  const secret = hex("4a5d9d5ba4ce2de1728e3bf480350f25 e07e21c947d19e3376f09b3c1e161742");
  expect(alice.publicKey).toEqual(hex("8520f0098930a754748b7ddcb43ef75a 0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  expect(bob.publicKey).toEqual(hex("de9edb7d7b7dc1b4d35b61c2ece43537 3f8343c85b78674dadfc7e146f882b4f"));
  expect([alice.dh(bob.publicKey), bob.dh(alice.publicKey)]).toEqual([secret, secret]);
});

test("KeyPair.exportPrivateKey() gives back what the pair was made of", () => {
  expect(new KeyPair(seed).exportPrivateKey()).toEqual(seed);
});

test("KeyPair.dh() refuses a public key that has not 32 bytes", () => {
  for (const length of [0, 31, 33]) expect(() => new KeyPair(seed).dh(new Uint8Array(length))).toThrow(WireError);
});

test("key pairs show no private key when printed or turned into JSON", () => {
  for (const pair of [new KeyPair(seed), new SigningKeyPair(seed)]) {
    const shown = Bun.inspect(pair, { depth: 9 }) + JSON.stringify(pair);
    expect(shown).toContain("publicKey");
    for (const form of [seed.toHex(), seed.toBase64().slice(0, -1), seed.subarray(0, 8).join(", ")])
      expect(shown).not.toContain(form);
  }
});

test("key pairs refuse a private key that has not 32 bytes", () => {
  for (const length of [0, 31, 33, 64]) {
    expect(() => new KeyPair(new Uint8Array(length))).toThrow(TypeError);
    expect(() => new SigningKeyPair(new Uint8Array(length))).toThrow(TypeError);
  }
});

test("SigningKeyPair agrees with RFC 8032 §7.1, tests 1 and 2", () => {
  const one = new SigningKeyPair(seed);
  expect(one.publicKey.toHex()).toBe("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  expect(one.sign(utf8("")).toHex()).toBe(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  );
  const two = new SigningKeyPair(hex("4ccd089b28ff96da9db6c346ec114e0f 5b8a319f35aba624da8cf6ed4fb8a6fb"));
  expect(two.sign(hex("72")).toHex()).toBe(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  );
  expect(two.exportSeed().toHex()).toBe("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
});

test("verifySignature() is true for the message alone that was signed", () => {
  const { publicKey } = new SigningKeyPair(seed);
  const signature = new SigningKeyPair(seed).sign(utf8("list 7"));
  expect(verifySignature(publicKey, utf8("list 7"), signature)).toBe(true);
  expect(verifySignature(publicKey, utf8("list 8"), signature)).toBe(false);
  expect(verifySignature(new KeyPair(seed).publicKey, utf8("list 7"), signature)).toBe(false);
  for (let bit = 0; bit < 512; bit++)
    expect(verifySignature(publicKey, utf8("list 7"), flipBit(signature, bit))).toBe(false);
});

test("verifySignature() is false for keys and signatures of any other length", () => {
  const { publicKey } = new SigningKeyPair(seed);
  for (const length of [0, 1, 31, 33, 63, 65]) {
    expect(verifySignature(publicKey, utf8("m"), new Uint8Array(length))).toBe(false);
    expect(verifySignature(new Uint8Array(length), utf8("m"), new Uint8Array(64))).toBe(false);
  }
});

test("AeadKey.sealInPlace() touches nothing but its bytes and the tag behind them", () => {
  const key = new AeadKey(seed);
  const bytes = new Uint8Array(100).fill(7);
  key.sealInPlace(nonce, associated, bytes, 20, 30);
  expect(bytes.subarray(20, 66).toHex()).toBe(key.seal(nonce, associated, new Uint8Array(30).fill(7)).toHex());
  expect([bytes.slice(0, 20), bytes.slice(66)]).toEqual([new Uint8Array(20).fill(7), new Uint8Array(34).fill(7)]);
});

test("AeadKey.open() opens from one place to another, and hands out memory of its own", () => {
  const key = new AeadKey(seed);
  const bytes = new Uint8Array(100);
  bytes.set(utf8("plain"), 20);
  key.sealInPlace(nonce, associated, bytes, 20, 5);
  const plaintext = key.open(nonce, associated, bytes, 20, 20 + 5 + 16);
  bytes.fill(0);
  expect(plaintext?.toHex()).toBe(utf8("plain").toHex());
});

test("AeadKey.open() refuses any bit turned over in ciphertext, tag, nonce or associated data, and any other length", () => {
  const key = new AeadKey(seed);
  const sealed = key.seal(nonce, associated, utf8("plain"));
  for (let bit = 0; bit < sealed.length * 8; bit++)
    expect(key.open(nonce, associated, flipBit(sealed, bit))).toBeNull();
  for (let bit = 0; bit < 96; bit++) expect(key.open(flipBit(nonce, bit), associated, sealed)).toBeNull();
  for (let bit = 0; bit < 48; bit++) expect(key.open(nonce, flipBit(associated, bit), sealed)).toBeNull();
  for (let length = 0; length < sealed.length; length++)
    expect(key.open(nonce, associated, sealed.subarray(0, length))).toBeNull();
});

test("AeadKey refuses keys that have not 32 bytes and nonces that have not 12", () => {
  for (const length of [0, 16, 31, 33]) expect(() => new AeadKey(new Uint8Array(length))).toThrow(RangeError);
  for (const length of [0, 8, 11, 13, 16])
    expect(() => new AeadKey(seed).seal(new Uint8Array(length), associated, utf8("plain"))).toThrow(RangeError);
});

test("sha256() and sha512() agree with FIPS 180-4, whole and in parts", () => {
  const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(sha256(utf8("abc")).toHex()).toBe(expected);
  expect(sha256(utf8("a"), utf8(""), utf8("bc")).toHex()).toBe(expected);
  const hasher = createSha256();
  for (const part of ["ab", "", "c"]) hasher.update(utf8(part));
  expect(hasher.digest().toHex()).toBe(expected);
  expect(sha512(utf8("a"), utf8("bc")).toHex()).toBe(
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  );
});

test("hmacSha256() agrees with RFC 4231 §4.2, whole and in parts", () => {
  const expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
  expect(hmacSha256(new Uint8Array(20).fill(0x0b), utf8("Hi There")).toHex()).toBe(expected);
  expect(hmacSha256(new Uint8Array(20).fill(0x0b), utf8("Hi"), utf8(" There")).toHex()).toBe(expected);
});

test("equalSecrets() tells equal from different, also by length", () => {
  const secret = seededRandom("secret")(32);
  expect(equalSecrets(secret, secret.slice())).toBe(true);
  for (let bit = 0; bit < 256; bit++) expect(equalSecrets(secret, flipBit(secret, bit))).toBe(false);
  expect(equalSecrets(secret, secret.subarray(1))).toBe(false);
});
