import type { Random } from "../core.ts";
import { introductions, type Preview } from "../messages/preview.ts";
import { HandshakeState } from "../noise/handshake.ts";
import { K } from "../noise/patterns.ts";
import type { KeyPair } from "../noise/primitives.ts";
import { encodePrologue } from "../noise/prologue.ts";
import { expectKind } from "./device-list.ts";

const LABEL = "p2p preview";

interface PreviewKeys {
  readonly session: Uint8Array;
  readonly keys: KeyPair;
  readonly remote: Uint8Array;
  readonly random: Random;
}

/** PROTOCOL.md §6.1: Noise K from one device to one other, so that the server learns neither the secret nor what the ring is about. */
export function sealPreview(
  { session, keys, remote, random }: PreviewKeys,
  preview: Omit<Preview, "kind">,
): Uint8Array {
  const prologue = encodePrologue(LABEL, session);
  const handshake = new HandshakeState({ pattern: K, role: "initiator", prologue, s: keys, rs: remote, random });
  return handshake.writeMessage(introductions.encode({ kind: "preview", ...preview }));
}

/** @throws WireError when it was not sealed by `remote` for these keys and this session */
export function openPreview({ session, keys, remote, random }: PreviewKeys, sealed: Uint8Array): Preview {
  const prologue = encodePrologue(LABEL, session);
  const handshake = new HandshakeState({ pattern: K, role: "responder", prologue, s: keys, rs: remote, random });
  return expectKind(introductions.decode(handshake.readMessage(sealed)), "preview");
}
