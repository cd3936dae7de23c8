import { concat, equalBytes, toHex, utf8 } from "../bytes.ts";
import { AeadKey, hkdf, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from "../noise/primitives.ts";
import { isSameServer, NODE_ID_BYTES } from "./node-id.ts";

// An envelope: version 1 | sender 12 | counter 8 | ciphertext | tag 16. Associated: all before the ciphertext, and the receiver's id.
const VERSION = 1;
const COUNTER_AT = 1 + NODE_ID_BYTES;
const HEAD_BYTES = COUNTER_AT + 8;
const LABEL = utf8("p2p between nodes");

/** What sealing adds. Bytes. */
export const NODE_SEAL_BYTES = HEAD_BYTES + TAG_BYTES;

/**
 * What one node says to others, under a key that comes of the server's own secret and of the node's id, which no two starts share: so the
 * counter may begin at 0 with each start.
 */
export class NodeSealer {
  readonly #nodeId: Uint8Array;
  readonly #key: AeadKey;
  #counter = 0n;

  /** @param secret X25519 private key of the server */
  constructor(secret: Uint8Array, nodeId: Uint8Array) {
    this.#nodeId = nodeId;
    this.#key = keyOf(secret, nodeId);
  }

  seal(to: Uint8Array, message: Uint8Array): Uint8Array {
    const head = concat(Uint8Array.of(VERSION), this.#nodeId, counterBytes(this.#counter++));
    return concat(head, this.#key.seal(nonceOf(head), concat(head, to), message));
  }
}

export interface Opened {
  readonly from: Uint8Array;
  readonly message: Uint8Array;
}

interface Sender {
  readonly key: AeadKey;
  /** Of the last message that opened; what comes from one node to another keeps its order. */
  lastCounter: bigint;
}

/** Opens what other nodes of the same server sealed for this one, each message once. */
export class NodeOpener {
  readonly #secret: Uint8Array;
  readonly #nodeId: Uint8Array;
  /** By node id in hex; only those of whom something opened. */
  readonly #senders = new Map<string, Sender>();

  /** @param secret X25519 private key of the server */
  constructor(secret: Uint8Array, nodeId: Uint8Array) {
    this.#secret = secret;
    this.#nodeId = nodeId;
  }

  /** @returns null for what is not genuine, not for this node, or was here before */
  open(envelope: Uint8Array): Opened | null {
    const from = senderOf(envelope);
    if (from === null || !isSameServer(this.#nodeId, from) || equalBytes(from, this.#nodeId)) return null;
    const sender = this.#senders.get(toHex(from)) ?? { key: keyOf(this.#secret, from), lastCounter: -1n };
    const counter = counterOf(envelope);
    if (counter <= sender.lastCounter) return null;
    const head = envelope.subarray(0, HEAD_BYTES);
    const message = sender.key.open(nonceOf(head), concat(head, this.#nodeId), envelope, HEAD_BYTES);
    if (message === null) return null;
    sender.lastCounter = counter;
    this.#senders.set(toHex(from), sender);
    return { from, message };
  }
}

function keyOf(secret: Uint8Array, nodeId: Uint8Array): AeadKey {
  return new AeadKey(hkdf(nodeId, secret, LABEL, KEY_BYTES));
}

function senderOf(envelope: Uint8Array): Uint8Array | null {
  if (envelope.length < NODE_SEAL_BYTES || envelope[0] !== VERSION) return null;
  return envelope.slice(1, COUNTER_AT);
}

function counterOf(envelope: Uint8Array): bigint {
  return new DataView(envelope.buffer, envelope.byteOffset).getBigUint64(COUNTER_AT);
}

function counterBytes(counter: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, counter);
  return bytes;
}

/** The counter behind zeros. */
function nonceOf(head: Uint8Array): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  nonce.set(head.subarray(COUNTER_AT), NONCE_BYTES - 8);
  return nonce;
}
