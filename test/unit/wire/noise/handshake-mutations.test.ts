import { expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import type { HandshakeState } from "../../../../src/wire/noise/handshake.ts";
import { type HandshakePattern, IK, K, KKpsk0 } from "../../../../src/wire/noise/patterns.ts";
import { flipBit, lengthened, seededRandom } from "../../../support/bytes.ts";
import { patternNamed } from "../../../vectors/patterns.ts";
import { type Change, expectRefusal, initiator, prologue, psk, responder } from "./handshakes.ts";

const payload = utf8("sixteen bytes of");

/** The reader of a handshake message, brought to where it expects it, and that message. */
interface Stage {
  readonly name: string;
  readonly pattern: HandshakePattern;
  readonly message: Uint8Array;
  readonly reader: (change?: Change) => HandshakeState;
}

const stages = [IK, KKpsk0].flatMap((pattern) => [first(pattern), second(pattern)]).concat(first(K));

for (const { name, message, reader } of stages) {
  test(`HandshakeState opens ${name}`, () => {
    expect(reader().readMessage(message)).toEqual(payload);
  });

  test(`HandshakeState refuses ${name} with any one bit turned over`, () => {
    for (let bit = 0; bit < message.length * 8; bit++) expectRefusal(reader(), flipBit(message, bit));
  });

  test(`HandshakeState refuses ${name} cut by 1 to 16 bytes, to any shorter length, and with a byte more`, () => {
    for (let length = 0; length < message.length; length++) expectRefusal(reader(), message.subarray(0, length));
    expectRefusal(reader(), lengthened(message));
  });

  test(`HandshakeState refuses ${name} under a prologue changed in any byte`, () => {
    for (let byte = 0; byte < prologue.length; byte++)
      expectRefusal(reader({ prologue: flipBit(prologue, byte * 8) }), message);
    expectRefusal(reader({ prologue: lengthened(prologue) }), message);
  });

  test(`HandshakeState refuses every other stage's message in place of ${name}`, () => {
    for (const other of stages) if (other.name !== name) expectRefusal(reader(), other.message);
  });
}

for (const { name, message, reader } of stages.filter(({ pattern }) => pattern === KKpsk0))
  test(`HandshakeState refuses ${name} under a psk changed in any byte`, () => {
    for (let byte = 0; byte < psk.length; byte++) expectRefusal(reader({ psk: flipBit(psk, byte * 8) }), message);
  });

for (const pattern of [IK, KKpsk0])
  test(`HandshakeState (${pattern.name}) refuses the second message of another handshake, and its own first`, () => {
    const other = second(pattern, "another of ana's").message;
    expectRefusal(second(pattern).reader(), other);
    expectRefusal(second(pattern).reader(), first(pattern).message);
  });

test("HandshakeState notices a bit turned over in a bare ephemeral or clear payload one message later", () => {
  const XX = patternNamed("XX");
  const message = initiator(XX).writeMessage(payload);
  for (let bit = 0; bit < message.length * 8; bit++) {
    const [reader, b] = [initiator(XX), responder(XX)];
    reader.writeMessage(payload);
    b.readMessage(flipBit(message, bit));
    expectRefusal(reader, b.writeMessage(payload));
  }
});

function first(pattern: HandshakePattern, seed = "ana's ephemeral"): Stage {
  const message = initiator(pattern, { random: seededRandom(seed) }).writeMessage(payload);
  return { name: `${pattern.name} message 1`, pattern, message, reader: (change) => responder(pattern, change) };
}

function second(pattern: HandshakePattern, seed = "ana's ephemeral"): Stage {
  const b = responder(pattern);
  b.readMessage(first(pattern, seed).message);
  const message = b.writeMessage(payload);
  const reader = (change: Change = {}) => {
    const a = initiator(pattern, change);
    a.writeMessage(payload);
    return a;
  };
  return { name: `${pattern.name} message 2`, pattern, message, reader };
}
