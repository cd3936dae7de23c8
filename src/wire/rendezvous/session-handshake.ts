import { concat, utf8 } from "../bytes.ts";
import type { Random } from "../core.ts";
import { PROTOCOL_VERSION } from "../limits.ts";
import { introductions, type Introduction } from "../messages/preview.ts";
import { HandshakeState } from "../noise/handshake.ts";
import { KKpsk0 } from "../noise/patterns.ts";
import { hkdf, type KeyPair } from "../noise/primitives.ts";
import { encodePrologue } from "../noise/prologue.ts";
import { expectKind } from "./device-list.ts";

/** Who is at one end, in the words of the directory. */
export interface Party {
  readonly userId: Uint8Array;
  readonly deviceId: Uint8Array;
}

/** Everything both ends must agree on before a session's keys can come out equal. */
export interface SessionTerms {
  readonly session: Uint8Array;
  /** Protocol versions each end speaks, one byte each, in its order of preference. */
  readonly askerVersions: Uint8Array;
  readonly accepterVersions: Uint8Array;
  readonly asker: Party;
  readonly accepter: Party;
  /** The 32 bytes from the preview. */
  readonly secret: Uint8Array;
}

export interface SessionKeys {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  /** Goes into the next exchange of keys of this session. */
  readonly export: Uint8Array;
}

export interface Agreed {
  readonly keys: SessionKeys;
  readonly introduction: Introduction & { kind: "introduction" };
}

interface OwnEnd {
  readonly terms: SessionTerms;
  readonly keys: KeyPair;
  readonly remote: Uint8Array;
  readonly random: Random;
  readonly introduction: Omit<Introduction & { kind: "introduction" }, "kind">;
}

const LABEL = "p2p session";
const SUITE = "Noise_KKpsk0_25519_AESGCM_SHA256";
const SECRET_INFO = utf8("p2p session secret");
const EMPTY = new Uint8Array();

/** The versions this program speaks. */
export const OWN_VERSIONS = Uint8Array.of(PROTOCOL_VERSION);

/** PROTOCOL.md §6.3. Not sent: a lie of the server about any of it, or about a version, makes the first tag fail. */
export function sessionPrologue(terms: SessionTerms, purpose: string): Uint8Array {
  const party = ({ userId, deviceId }: Party) => concat(userId, deviceId);
  return encodePrologue(
    LABEL,
    Uint8Array.of(PROTOCOL_VERSION),
    terms.askerVersions,
    terms.accepterVersions,
    SUITE,
    terms.session,
    party(terms.accepter),
    party(terms.asker),
    purpose,
  );
}

/** The accepter is the Noise initiator: his accept carries `message`; the answer to it completes the keys. */
export function startHandshake(own: OwnEnd): {
  readonly message: Uint8Array;
  readonly complete: (answer: Uint8Array) => Agreed;
} {
  const handshake = handshakeOf(own, "initiator");
  const message = handshake.writeMessage(payloadOf(own));
  return { message, complete: (answer) => agreed(handshake.readMessage(answer), handshake) };
}

/** The asker's end. @throws WireError when the accept does not come from the device that was rung, for this ring */
export function answerHandshake(
  own: OwnEnd,
  message: Uint8Array,
): { readonly answer: Uint8Array; readonly agreed: Agreed } {
  const handshake = handshakeOf(own, "responder");
  const payload = handshake.readMessage(message);
  const answer = handshake.writeMessage(payloadOf(own));
  return { answer, agreed: agreed(payload, handshake) };
}

function handshakeOf({ terms, keys, remote, random }: OwnEnd, role: "initiator" | "responder"): HandshakeState {
  const psk = hkdf(EMPTY, terms.secret, concat(SECRET_INFO, terms.session), 32);
  const prologue = sessionPrologue(terms, "session");
  return new HandshakeState({ pattern: KKpsk0, role, prologue, s: keys, rs: remote, psks: [psk], random });
}

function payloadOf(own: OwnEnd): Uint8Array {
  return introductions.encode({ kind: "introduction", ...own.introduction });
}

function agreed(payload: Uint8Array, handshake: HandshakeState): Agreed {
  const introduction = expectKind(introductions.decode(payload), "introduction");
  const { send, receive, exportSecret } = handshake.split();
  return { introduction, keys: { send: send.takeKey(), receive: receive.takeKey(), export: exportSecret } };
}
