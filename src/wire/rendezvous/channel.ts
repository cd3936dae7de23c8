import { equalBytes } from "../bytes.ts";
import type { Random } from "../core.ts";
import { WireError } from "../errors.ts";
import { CHANNEL_SUBPROTOCOL } from "../limits.ts";
import { signalling, type SignallingMessage } from "../messages/signalling.ts";
import type { CipherState } from "../noise/cipher-state.ts";
import { HandshakeState } from "../noise/handshake.ts";
import { IK } from "../noise/patterns.ts";
import type { KeyPair } from "../noise/primitives.ts";
import { encodePrologue } from "../noise/prologue.ts";

/** What a message from the other end leads to. */
export interface Received {
  /** To be sent back at once. */
  readonly reply: Uint8Array | null;
  /** For the owner of the channel; null when the message was the channel's own. */
  readonly message: SignallingMessage | null;
}

export interface ChannelLimits {
  readonly rekeyAfterMessages: number;
  readonly rekeyAfterMs: number;
}

export interface ChannelOptions {
  /** The device key on the peer's end, the server key on the server's. */
  readonly keys: KeyPair;
  /** The WebSocket subprotocols the peer offered, in its order. */
  readonly offered: readonly string[];
  readonly random: Random;
  readonly now: number;
  readonly limits?: ChannelLimits;
}

const LABEL = "p2p channel";
const DEFAULT_LIMITS: ChannelLimits = { rekeyAfterMessages: 2 ** 20, rekeyAfterMs: 3_600_000 };
const EMPTY = new Uint8Array();

/** What thousands are told in the same words is written once. */
const presences = new WeakMap<SignallingMessage, Uint8Array>();

interface Ciphers {
  readonly send: CipherState;
  readonly receive: CipherState;
}

/**
 * PROTOCOL.md §4: Noise IK inside a WebSocket, one Noise message to a binary message. The socket keeps the order, so the nonces are
 * implied and every gap, repeat or change fails. After a throw the channel is dead, and its owner closes it without saying why.
 */
abstract class Channel {
  protected readonly options: ChannelOptions;
  protected readonly limits: ChannelLimits;
  protected ciphers: Ciphers | null = null;
  protected messages = 0;
  #hash: Uint8Array | null = null;

  constructor(options: ChannelOptions) {
    this.options = options;
    this.limits = options.limits ?? DEFAULT_LIMITS;
  }

  /** @throws RangeError for a message that the table refuses, Error before the handshake is over */
  seal(message: SignallingMessage): Uint8Array {
    if (this.ciphers === null) throw new Error("the channel is not open yet");
    this.messages++;
    return this.ciphers.send.encryptWithAd(EMPTY, encoded(message));
  }

  protected unseal(bytes: Uint8Array): SignallingMessage {
    if (this.ciphers === null) throw new WireError("protocol-error", "a message before the handshake");
    this.messages++;
    return signalling.decode(this.ciphers.receive.decryptWithAd(EMPTY, bytes));
  }

  /** The transcript of the handshake before goes into the next, so that the two cannot be taken apart. */
  protected prologue(): Uint8Array {
    const parts = [LABEL, this.options.offered.join(","), CHANNEL_SUBPROTOCOL];
    return this.#hash === null ? encodePrologue(...parts) : encodePrologue(...parts, this.#hash);
  }

  protected finish(handshake: HandshakeState): Ciphers {
    const { send, receive, handshakeHash } = handshake.split();
    this.#hash = handshakeHash;
    this.messages = 0;
    return { send, receive };
  }
}

/** The peer's end. Send `start()`, then hand every binary message to `handle`. */
export class ChannelClient extends Channel {
  readonly #serverKey: Uint8Array;
  #handshake: HandshakeState | null = null;
  #keyedAt: number;

  constructor(options: ChannelOptions & { readonly serverKey: Uint8Array }) {
    super(options);
    this.#serverKey = options.serverKey;
    this.#keyedAt = options.now;
  }

  /** The server has answered under the pinned key. */
  get isOpen(): boolean {
    return this.ciphers !== null;
  }

  start(): Uint8Array {
    const { keys, random } = this.options;
    this.#handshake = new HandshakeState({
      pattern: IK,
      role: "initiator",
      prologue: this.prologue(),
      s: keys,
      rs: this.#serverKey,
      random,
    });
    return this.#handshake.writeMessage(EMPTY);
  }

  /** @throws WireError */
  handle(bytes: Uint8Array): Received {
    if (this.ciphers === null) {
      this.ciphers = this.#completed(bytes);
      return { reply: null, message: null };
    }
    const message = this.unseal(bytes);
    if (message.kind !== "rekeyed") return { reply: null, message };
    const reply = this.seal({ kind: "switched" });
    this.ciphers = this.#completed(message.handshake);
    return { reply, message: null };
  }

  /** Ask now and then: the first message of new keys when the old ones have served long enough. Milliseconds. */
  rekey(now: number): Uint8Array | null {
    const due = this.messages >= this.limits.rekeyAfterMessages || now - this.#keyedAt >= this.limits.rekeyAfterMs;
    if (!this.isOpen || this.#handshake !== null || !due) return null;
    this.#keyedAt = now;
    return this.seal({ kind: "rekey", handshake: this.start() });
  }

  #completed(bytes: Uint8Array): Ciphers {
    const handshake = this.#handshake;
    if (handshake === null) throw new WireError("protocol-error", "an answer without a question");
    handshake.readMessage(bytes);
    this.#handshake = null;
    return this.finish(handshake);
  }
}

/** The server's end. Hand every binary message to `handle`; send what it replies. */
export class ChannelServer extends Channel {
  #remoteStatic: Uint8Array | null = null;
  #next: Ciphers | null = null;
  #confirmed = false;

  /** The device's X25519 key, proven once {@link isConfirmed}. */
  get remoteStatic(): Uint8Array | null {
    return this.#remoteStatic;
  }

  /** A message under the channel's keys was opened: before that, a replayed first message looks the same. */
  get isConfirmed(): boolean {
    return this.#confirmed;
  }

  /** @throws WireError */
  handle(bytes: Uint8Array): Received {
    if (this.ciphers === null) {
      const { reply, ciphers } = this.#answer(bytes);
      this.ciphers = ciphers;
      return { reply, message: null };
    }
    const message = this.unseal(bytes);
    this.#confirmed = true;
    if (message.kind === "rekey") return { reply: this.#rekey(message.handshake), message: null };
    if (message.kind !== "switched") return { reply: null, message };
    if (this.#next === null) throw new WireError("protocol-error", "a switch to keys that do not exist");
    this.ciphers = { send: this.ciphers.send, receive: this.#next.receive };
    this.#next = null;
    return { reply: null, message: null };
  }

  #rekey(first: Uint8Array): Uint8Array {
    if (this.#next !== null || this.ciphers === null)
      throw new WireError("protocol-error", "two exchanges of keys at once");
    const { reply, ciphers } = this.#answer(first);
    const sealed = this.seal({ kind: "rekeyed", handshake: reply });
    this.#next = ciphers;
    this.ciphers = { send: ciphers.send, receive: this.ciphers.receive };
    return sealed;
  }

  #answer(first: Uint8Array): { reply: Uint8Array; ciphers: Ciphers } {
    const { keys, random } = this.options;
    const handshake = new HandshakeState({
      pattern: IK,
      role: "responder",
      prologue: this.prologue(),
      s: keys,
      random,
    });
    handshake.readMessage(first);
    const remote = handshake.remoteStatic;
    if (remote === null || (this.#remoteStatic !== null && !equalBytes(remote, this.#remoteStatic)))
      throw new WireError("protocol-error", "the device key changed within a channel");
    this.#remoteStatic = remote;
    return { reply: handshake.writeMessage(EMPTY), ciphers: this.finish(handshake) };
  }
}

function encoded(message: SignallingMessage): Uint8Array {
  if (message.kind !== "presence") return signalling.encode(message);
  const known = presences.get(message);
  if (known !== undefined) return known;
  const bytes = signalling.encode(message);
  presences.set(message, bytes);
  return bytes;
}
