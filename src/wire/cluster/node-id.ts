import { concat, equalBytes, utf8 } from "../bytes.ts";
import type { Random } from "../core.ts";
import { sha256 } from "../noise/primitives.ts";

/** The server that a node belongs to, then what is the node's own. Bytes. */
const SERVER_BYTES = 4;
const OWN_BYTES = 8;
export const NODE_ID_BYTES = SERVER_BYTES + OWN_BYTES;

const LABEL = utf8("p2p node 1");

/**
 * Fresh at each start of a node. Nodes of one server begin alike: the same server key, the same signing key, and the same version of what
 * nodes say to each other, which the label names.
 * @param serverKey X25519 public key. @param signingKey Ed25519 public key
 */
export function newNodeId(serverKey: Uint8Array, signingKey: Uint8Array, random: Random): Uint8Array {
  return concat(sha256(LABEL, serverKey, signingKey).subarray(0, SERVER_BYTES), random(OWN_BYTES));
}

/** Whether both are nodes of one server. */
export function isSameServer(one: Uint8Array, other: Uint8Array): boolean {
  return other.length === NODE_ID_BYTES && equalBytes(one.subarray(0, SERVER_BYTES), other.subarray(0, SERVER_BYTES));
}
