import { equalBytes } from "../bytes.ts";
import type { Random } from "../core.ts";
import { WireError } from "../errors.ts";
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

/**
 * PROTOCOL.md §6.1: Noise K from one device to one other, so that the server learns neither the secret nor what the ring is about.
 * @throws WireError for a key that is none, or one's own
 */
export function sealPreview(keys: PreviewKeys, preview: Omit<Preview, "kind">): Uint8Array {
  const handshake = handshakeOf(keys, "initiator");
  return handshake.writeMessage(introductions.encode({ kind: "preview", ...preview }));
}

/** @throws WireError when it was not sealed by `remote` for these keys and this session */
export function openPreview(keys: PreviewKeys, sealed: Uint8Array): Preview {
  const handshake = handshakeOf(keys, "responder");
  return expectKind(introductions.decode(handshake.readMessage(sealed)), "preview");
}

/** Nobody rings himself: what comes back to its own device was turned around on the way. */
function handshakeOf({ session, keys, remote, random }: PreviewKeys, role: "initiator" | "responder"): HandshakeState {
  if (equalBytes(keys.publicKey, remote)) throw new WireError("protocol-error", "a ring at the device it comes from");
  const prologue = encodePrologue(LABEL, session);
  return new HandshakeState({ pattern: K, role, prologue, s: keys, rs: remote, random });
}
