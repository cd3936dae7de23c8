import { expect, test } from "bun:test";
import { concat, utf8 } from "../../../../src/wire/bytes.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import type { HandshakeState } from "../../../../src/wire/noise/handshake.ts";
import { IK, KKpsk0 } from "../../../../src/wire/noise/patterns.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { encodePrologue } from "../../../../src/wire/noise/prologue.ts";
import { SymmetricState } from "../../../../src/wire/noise/symmetric-state.ts";
import { flipBit, lengthened, seededRandom } from "../../../support/bytes.ts";
import x25519 from "../../../vectors/wycheproof-x25519.json";
import { ben, type Change, eve, expectRefusal, initiator, prologue, psk, responder } from "./handshakes.ts";

const empty = utf8("");
const zeroSecret = new Uint8Array(32);

/** Every public key known to give the all-zero secret: zeros, orders 1 to 8, and other spellings of them. */
const lowOrderKeys = x25519.testGroups
  .flatMap((group) => group.tests)
  .filter(({ flags }) => flags.includes("ZeroSharedSecret"))
  .map((entry) => Uint8Array.fromHex(entry.public));

test("bad input 39: a first message of 0, 95, 97 or 65 535 bytes is refused without saying why", () => {
  const message = initiator(IK).writeMessage(empty);
  expect(message.length).toBe(96);
  const lengths = [empty, message.subarray(0, 95), lengthened(message), concat(message, new Uint8Array(65_439))];
  for (const wrong of lengths) expectRefusal(responder(IK), wrong);
});

test("a first message over 65 535 bytes is refused, though its tags are right", () => {
  const most = new Uint8Array(65_535 - 96);
  expect(responder(IK).readMessage(forgeFirst({ payload: most }))).toEqual(most);
  expectRefusal(responder(IK), forgeFirst({ payload: new Uint8Array(most.length + 1) }));
});

test("bad input 39: a first message with any bit turned over is refused without saying why", () => {
  const message = initiator(IK).writeMessage(empty);
  for (let bit = 0; bit < message.length * 8; bit++) expectRefusal(responder(IK), flipBit(message, bit));
});

test("bad input 40: an ephemeral key of low order is refused, though the tags that follow from a zero secret are right", () => {
  expect(responder(IK).readMessage(forgeFirst({}))).toEqual(empty);
  for (const ephemeral of lowOrderKeys) expectRefusal(responder(IK), forgeFirst({ ephemeral, es: zeroSecret }));
});

test("bad input 40: a static key of low order is refused in the same way", () => {
  for (const s of lowOrderKeys) expectRefusal(responder(IK), forgeFirst({ s, ss: zeroSecret }));
});

test("a static key that is the reader's own is refused, though it comes with right tags", () => {
  expectRefusal(responder(IK), forgeFirst({ s: ben.publicKey, ss: ben.dh(ben.publicKey) }));
});

test("bad input 44: a transport message changed, cut, repeated or out of order does not open", () => {
  const { sender, receiver } = channel();
  const [one, two] = [sender.encryptWithAd(empty, utf8("one")), sender.encryptWithAd(empty, utf8("two"))];
  for (const wrong of [
    flipBit(one, one.length * 8 - 1),
    one.subarray(1),
    one.subarray(0, -1),
    lengthened(one),
    two,
    empty,
  ])
    expect(() => receiver.decryptWithAd(empty, wrong)).toThrow(WireError);
  expect(receiver.decryptWithAd(empty, one)).toEqual(utf8("one"));
  expect(() => receiver.decryptWithAd(empty, one)).toThrow(WireError);
  expect(receiver.decryptWithAd(empty, two)).toEqual(utf8("two"));
});

test("bad input 113: in a session's first message an ephemeral of low order or the reader's own static key is refused", () => {
  for (const key of [...lowOrderKeys, ben.publicKey])
    expectRefusal(responder(KKpsk0), concat(key, initiator(KKpsk0).writeMessage(empty).subarray(32)));
});

test("bad input 113: the reader's own static key as ephemeral is refused, though the other end knows it and all tags are right", () => {
  expectRefusal(responder(KKpsk0), initiator(KKpsk0, { random: () => ben.exportPrivateKey() }).writeMessage(empty));
});

test("bad input 113: its own ephemeral mirrored back is refused, though all tags are right", () => {
  const secret = seededRandom("shared by both")(32);
  const [a, b] = [initiator(KKpsk0, { random: () => secret }), responder(KKpsk0, { random: () => secret })];
  b.readMessage(a.writeMessage(empty));
  expectRefusal(a, b.writeMessage(empty));
});

test("bad input 114: a second message for another first one, or of an old session, is refused", () => {
  for (const random of [seededRandom("another first message"), seededRandom("an old session")])
    expectRefusal(afterFirst(), answerTo(initiator(KKpsk0, { random }), {}));
  expect(afterFirst().readMessage(answerTo(initiator(KKpsk0), {}))).toEqual(empty);
});

test("bad input 114: a second message under another prologue is refused", () => {
  const changed = { prologue: encodePrologue("label", "another id") };
  expectRefusal(afterFirst(), answerTo(initiator(KKpsk0, changed), changed));
});

test("bad input 115: the wrong static key, the wrong psk or another session id never completes", () => {
  const wrong: readonly Change[] = [
    { s: eve },
    { rs: eve.publicKey },
    { psk: flipBit(psk, 0) },
    { prologue: encodePrologue("label", "another id") },
  ];
  for (const change of wrong) {
    expectRefusal(responder(KKpsk0), initiator(KKpsk0, change).writeMessage(empty));
    expectRefusal(responder(KKpsk0, change), initiator(KKpsk0).writeMessage(empty));
  }
});

interface Forgery {
  readonly ephemeral?: Uint8Array;
  readonly es?: Uint8Array;
  readonly s?: Uint8Array;
  readonly ss?: Uint8Array;
  readonly payload?: Uint8Array;
}

/** The first message of IK to Ben by someone who states any keys and secrets he likes; by default Eve, honestly. */
function forgeFirst(forgery: Forgery): Uint8Array {
  const e = KeyPair.generate(seededRandom("eve's ephemeral"));
  const honest = { ephemeral: e.publicKey, es: e.dh(ben.publicKey), s: eve.publicKey, ss: eve.dh(ben.publicKey) };
  const { ephemeral, es, s, ss, payload } = { ...honest, payload: empty, ...forgery };
  const symmetric = new SymmetricState("Noise_IK_25519_AESGCM_SHA256");
  for (const known of [prologue, ben.publicKey, ephemeral]) symmetric.mixHash(known);
  symmetric.mixKey(es);
  const sealedStatic = symmetric.encryptAndHash(s);
  symmetric.mixKey(ss);
  return concat(ephemeral, sealedStatic, symmetric.encryptAndHash(payload));
}

function channel() {
  const [a, b] = [initiator(IK), responder(IK)];
  b.readMessage(a.writeMessage(empty));
  a.readMessage(b.writeMessage(empty));
  return { sender: a.split().send, receiver: b.split().receive };
}

function afterFirst(): HandshakeState {
  const a = initiator(KKpsk0);
  a.writeMessage(empty);
  return a;
}

function answerTo(a: HandshakeState, change: Change): Uint8Array {
  const b = responder(KKpsk0, change);
  b.readMessage(a.writeMessage(empty));
  return b.writeMessage(empty);
}
