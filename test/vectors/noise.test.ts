import { expect, test } from "bun:test";
import { utf8 } from "../../src/wire/bytes.ts";
import type { CipherState } from "../../src/wire/noise/cipher-state.ts";
import { HandshakeState } from "../../src/wire/noise/handshake.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { hex } from "../support/bytes.ts";
import file from "./noise-aesgcm.json";
import { patternNamed } from "./patterns.ts";

interface Vector {
  readonly id: string;
  readonly pattern: string;
  readonly handshake_messages: number;
  readonly init_prologue: string;
  readonly resp_prologue: string;
  readonly init_psks: readonly string[];
  readonly resp_psks: readonly string[];
  readonly init_static?: string;
  readonly init_ephemeral?: string;
  readonly init_remote_static?: string;
  readonly resp_static?: string;
  readonly resp_ephemeral?: string;
  readonly resp_remote_static?: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly from: string; readonly payload: string; readonly ciphertext: string }[];
}

const vectors: readonly Vector[] = file.vectors;
const NO_DATA = utf8("");

test("the vector file holds 26 handshakes", () => {
  expect(vectors.length).toBe(26);
});

for (const vector of vectors) {
  test(`HandshakeState reproduces ${vector.id} from both sides`, () => {
    const ends = { init: endOf(vector, "init"), resp: endOf(vector, "resp") };
    const handshake = vector.messages.slice(0, vector.handshake_messages);
    for (const { from, payload, ciphertext } of handshake) {
      const [writer, reader] = from === "init" ? [ends.init, ends.resp] : [ends.resp, ends.init];
      expect(writer.writeMessage(hex(payload)).toHex()).toBe(ciphertext);
      expect(reader.readMessage(hex(ciphertext)).toHex()).toBe(payload);
    }
    expectTransport(vector, ends.init, ends.resp);
  });
}

function expectTransport(vector: Vector, initiator: HandshakeState, responder: HandshakeState): void {
  const ends = { init: initiator.split(), resp: responder.split() };
  expect(ends.resp.handshakeHash).toEqual(ends.init.handshakeHash);
  expect(ends.resp.exportSecret).toEqual(ends.init.exportSecret);
  if (vector.handshake_hash !== undefined) expect(ends.init.handshakeHash.toHex()).toBe(vector.handshake_hash);
  for (const { from, payload, ciphertext } of vector.messages.slice(vector.handshake_messages)) {
    const [send, receive]: [CipherState, CipherState] =
      from === "init" ? [ends.init.send, ends.resp.receive] : [ends.resp.send, ends.init.receive];
    expect(send.encryptWithAd(NO_DATA, hex(payload)).toHex()).toBe(ciphertext);
    expect(receive.decryptWithAd(NO_DATA, hex(ciphertext)).toHex()).toBe(payload);
  }
}

function endOf(vector: Vector, side: "init" | "resp"): HandshakeState {
  const s = vector[`${side}_static`];
  const rs = vector[`${side}_remote_static`];
  return new HandshakeState({
    pattern: patternNamed(vector.pattern),
    role: side === "init" ? "initiator" : "responder",
    prologue: hex(vector[`${side}_prologue`]),
    psks: vector[`${side}_psks`].map(hex),
    ...(s === undefined ? {} : { s: new KeyPair(hex(s)) }),
    ...(rs === undefined ? {} : { rs: hex(rs) }),
    random: () => hex(vector[`${side}_ephemeral`] ?? ""),
  });
}
