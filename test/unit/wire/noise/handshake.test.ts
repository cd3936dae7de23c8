import { expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { HandshakeState, MAX_MESSAGE_BYTES } from "../../../../src/wire/noise/handshake.ts";
import { IK, K, KKpsk0, withPsk } from "../../../../src/wire/noise/patterns.ts";
import { seededRandom } from "../../../support/bytes.ts";
import { patternNamed } from "../../../vectors/patterns.ts";
import { ana, ben, initiator, psk, responder } from "./handshakes.ts";

const payload = utf8("hello");
const empty = utf8("");

test("HandshakeState carries a payload each way and gives both ends the same secrets", () => {
  const [a, b] = finished();
  const [fromAna, fromBen] = [a.split(), b.split()];
  expect(fromBen.handshakeHash).toEqual(fromAna.handshakeHash);
  expect(fromBen.exportSecret).toEqual(fromAna.exportSecret);
  expect(fromBen.receive.decryptWithAd(empty, fromAna.send.encryptWithAd(empty, payload))).toEqual(payload);
  expect(fromAna.receive.decryptWithAd(empty, fromBen.send.encryptWithAd(empty, payload))).toEqual(payload);
});

test("HandshakeState.split() gives four different secrets", () => {
  const { send, receive, handshakeHash, exportSecret } = finished()[0].split();
  const secrets = [send.takeKey(), receive.takeKey(), handshakeHash, exportSecret].map((secret) => secret.toHex());
  expect(new Set(secrets).size).toBe(4);
});

test("HandshakeState.exportSecret differs from handshake to handshake", () => {
  const first = finished()[0].split().exportSecret;
  const second = finished("another ephemeral")[0].split().exportSecret;
  expect(second).not.toEqual(first);
});

test("HandshakeState (IK) tells the responder who came", () => {
  const b = responder(IK);
  expect(b.remoteStatic).toBeNull();
  b.readMessage(initiator(IK).writeMessage(empty));
  expect(b.remoteStatic).toEqual(ana.publicKey);
});

test("HandshakeState messages have the lengths that PROTOCOL.md states", () => {
  const b = responder(IK);
  const first = initiator(IK).writeMessage(empty);
  b.readMessage(first);
  expect([first.length, b.writeMessage(empty).length]).toEqual([96, 48]);
  expect(initiator(KKpsk0).writeMessage(empty).length).toBe(48);
  expect(initiator(K).writeMessage(empty).length).toBe(48);
});

test("HandshakeState refuses its own static key as the other's", () => {
  expect(() => initiator(KKpsk0, { rs: ana.publicKey })).toThrow(WireError);
  expect(() => responder(KKpsk0, { rs: ben.publicKey })).toThrow(WireError);
});

test("HandshakeState writes only in its turn", () => {
  expect(() => responder(KKpsk0).writeMessage(empty)).toThrow("turn");
  const a = initiator(KKpsk0);
  a.writeMessage(empty);
  expect(() => a.writeMessage(empty)).toThrow("turn");
});

test("HandshakeState reads only in the other's turn, and is dead after a message out of turn", () => {
  const a = initiator(KKpsk0);
  expect(() => a.readMessage(new Uint8Array(48))).toThrow(WireError);
  expect(() => a.writeMessage(empty)).toThrow("failed");
});

test("HandshakeState is dead after a message it refused: the right one comes too late", () => {
  const b = responder(KKpsk0);
  const first = initiator(KKpsk0).writeMessage(empty);
  expect(() => b.readMessage(first.subarray(1))).toThrow(WireError);
  expect(() => b.readMessage(first)).toThrow(WireError);
});

test("HandshakeState refuses a third message and a second split", () => {
  const [a, b] = finished();
  expect(a.isFinished && b.isFinished).toBe(true);
  expect(() => b.readMessage(new Uint8Array(48))).toThrow(WireError);
  a.split();
  expect(() => a.split()).toThrow("once");
});

test("HandshakeState.split() waits for the last message", () => {
  const a = initiator(KKpsk0);
  a.writeMessage(empty);
  expect(a.isFinished).toBe(false);
  expect(() => a.split()).toThrow("after its last message");
});

test("HandshakeState (K) gives a cipher for one direction only", () => {
  const [a, b] = [initiator(K), responder(K)];
  expect(b.readMessage(a.writeMessage(payload))).toEqual(payload);
  const [fromAna, fromBen] = [a.split(), b.split()];
  expect(fromBen.receive.decryptWithAd(empty, fromAna.send.encryptWithAd(empty, payload))).toEqual(payload);
  expect(() => fromBen.send.encryptWithAd(empty, payload)).toThrow("given away");
  expect(() => fromAna.receive.decryptWithAd(empty, payload)).toThrow("given away");
});

test("HandshakeState refuses to begin without the psk and the keys its pattern needs", () => {
  const common = { role: "initiator", prologue: empty, random: seededRandom("unused") } as const;
  const keys = { s: ana, rs: ben.publicKey };
  expect(() => new HandshakeState({ ...common, ...keys, pattern: KKpsk0 })).toThrow(RangeError);
  expect(() => new HandshakeState({ ...common, ...keys, pattern: KKpsk0, psks: [psk, psk] })).toThrow(RangeError);
  expect(() => new HandshakeState({ ...common, ...keys, pattern: KKpsk0, psks: [psk.subarray(1)] })).toThrow(
    RangeError,
  );
  expect(() => new HandshakeState({ ...common, rs: ben.publicKey, pattern: K })).toThrow("not given");
  expect(() => new HandshakeState({ ...common, s: ana, pattern: IK })).toThrow("not given");
});

test("HandshakeState.writeMessage() refuses a payload that makes a message over 65 535 bytes", () => {
  const most = MAX_MESSAGE_BYTES - 48;
  expect(initiator(K).writeMessage(new Uint8Array(most)).length).toBe(MAX_MESSAGE_BYTES);
  expect(() => initiator(K).writeMessage(new Uint8Array(most + 1))).toThrow(RangeError);
});

test("HandshakeState keeps no hold on the arrays it was given", () => {
  const first = initiator(KKpsk0).writeMessage(payload);
  const [rs, key] = [ana.publicKey.slice(), psk.slice()];
  const b = responder(KKpsk0, { rs, psk: key });
  for (const given of [rs, key]) given.fill(0);
  expect(b.readMessage(first)).toEqual(payload);
  first.fill(0);
  const a = initiator(KKpsk0);
  a.writeMessage(payload);
  expect(a.readMessage(b.writeMessage(payload))).toEqual(payload);
});

test("HandshakeState.readMessage() gives a payload of its own, also where the pattern sends it in the clear", () => {
  const XX = patternNamed("XX");
  const message = initiator(XX).writeMessage(payload);
  const read = responder(XX).readMessage(message);
  message.fill(0);
  expect(read).toEqual(payload);
});

test("withPsk() puts the token first in the first message, or last in the N-th, and into the name", () => {
  const pattern = withPsk(IK, 0, 2);
  expect(pattern.name).toBe("IKpsk0+psk2");
  expect(pattern.messages).toEqual([
    ["psk", "e", "es", "s", "ss"],
    ["e", "ee", "se", "psk"],
  ]);
});

function finished(seed = "ana's ephemeral"): [HandshakeState, HandshakeState] {
  const [a, b] = [initiator(KKpsk0, { random: seededRandom(seed) }), responder(KKpsk0)];
  expect(b.readMessage(a.writeMessage(payload))).toEqual(payload);
  expect(a.readMessage(b.writeMessage(payload))).toEqual(payload);
  return [a, b];
}
