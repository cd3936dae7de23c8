import { expect } from "bun:test";
import type { Random } from "../../../../src/wire/core.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { HandshakeState } from "../../../../src/wire/noise/handshake.ts";
import { type HandshakePattern, IK, K, KKpsk0 } from "../../../../src/wire/noise/patterns.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { encodePrologue } from "../../../../src/wire/noise/prologue.ts";
import { seededRandom } from "../../../support/bytes.ts";

/** Ana begins, Ben answers. */
export const ana = KeyPair.generate(seededRandom("ana"));
export const ben = KeyPair.generate(seededRandom("ben"));
export const eve = KeyPair.generate(seededRandom("eve"));
export const prologue = encodePrologue("label", "session id");
export const psk = seededRandom("psk")(32);
export const patterns = { IK, KKpsk0, K };

/** What an end does otherwise than the other expects. */
export interface Change {
  readonly s?: KeyPair;
  readonly rs?: Uint8Array;
  readonly prologue?: Uint8Array;
  readonly psk?: Uint8Array;
  readonly random?: Random;
}

export function initiator(pattern: HandshakePattern, change: Change = {}): HandshakeState {
  const known = pattern.preMessages.responder.length > 0 ? { rs: ben.publicKey } : {};
  return end(pattern, "initiator", { s: ana, ...known, random: seededRandom("ana's ephemeral"), ...change });
}

export function responder(pattern: HandshakePattern, change: Change = {}): HandshakeState {
  const known = pattern.preMessages.initiator.length > 0 ? { rs: ana.publicKey } : {};
  return end(pattern, "responder", { s: ben, ...known, random: seededRandom("ben's ephemeral"), ...change });
}

/** Nothing about why: one code and one text, whatever was wrong. */
export function expectRefusal(reader: HandshakeState, message: Uint8Array): void {
  expect(thrownBy(() => reader.readMessage(message))).toEqual(new WireError("protocol-error", "the handshake failed"));
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return error;
  }
}

interface End extends Change {
  readonly s: KeyPair;
  readonly random: Random;
}

function end(
  pattern: HandshakePattern,
  role: "initiator" | "responder",
  { psk: own = psk, ...given }: End,
): HandshakeState {
  const psks = pattern.messages.flat().includes("psk") ? [own] : [];
  return new HandshakeState({ prologue, ...given, pattern, role, psks });
}
