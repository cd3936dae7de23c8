import { concat, equalBytes } from "../bytes.ts";
import type { Random } from "../core.ts";
import { WireError } from "../errors.ts";
import type { CipherState } from "./cipher-state.ts";
import type { HandshakePattern, Token } from "./patterns.ts";
import { KEY_BYTES, KeyPair, TAG_BYTES } from "./primitives.ts";
import { SymmetricState } from "./symmetric-state.ts";

/** Noise §3. Bytes. */
export const MAX_MESSAGE_BYTES = 65_535;
/** The `info` under which the final chaining key is exported; nothing else uses it. */
const EXPORT_LABEL = "p2p export of the epoch";
const EMPTY = new Uint8Array(0);

export interface HandshakeOptions {
  readonly pattern: HandshakePattern;
  readonly role: "initiator" | "responder";
  /** What both must agree on without sending it; see prologue.ts. */
  readonly prologue: Uint8Array;
  readonly s?: KeyPair;
  /** The other's static key, where the pattern knows it beforehand. */
  readonly rs?: Uint8Array;
  /** 32 bytes each, in the order of the pattern's psk tokens. */
  readonly psks?: readonly Uint8Array[];
  readonly random: Random;
}

export interface HandshakeResult {
  /** Of a one-way pattern only the initiator's `send` and the responder's `receive` work, Noise §7.4. */
  readonly send: CipherState;
  readonly receive: CipherState;
  /** Noise §11.2: both ends have the same one, and nobody else. */
  readonly handshakeHash: Uint8Array;
  /** 32 bytes out of the final chaining key, for mixing into the next handshake of the same two. */
  readonly exportSecret: Uint8Array;
}

/**
 * Noise §5.3, suite 25519_AESGCM_SHA256: the tokens of a pattern, one message after the other. What comes from the other end
 * and does not fit throws WireError `protocol-error` without saying why; after any throw nothing works any more.
 */
export class HandshakeState {
  readonly #pattern: HandshakePattern;
  readonly #initiator: boolean;
  readonly #random: Random;
  readonly #symmetric: SymmetricState;
  readonly #s: KeyPair | undefined;
  readonly #psks: Uint8Array[];
  readonly #usesPsk: boolean;
  #e: KeyPair | undefined;
  #rs: Uint8Array | undefined;
  #re: Uint8Array | undefined;
  #messages = 0;
  #dead = false;

  /** @throws WireError `protocol-error` when the other's static key is our own */
  constructor({ pattern, role, prologue, s, rs, psks = [], random }: HandshakeOptions) {
    this.#pattern = pattern;
    this.#initiator = role === "initiator";
    this.#random = random;
    this.#s = s;
    this.#rs = rs === undefined ? undefined : this.#foreignKey(rs.slice());
    this.#psks = checkedPsks(pattern, psks);
    this.#usesPsk = this.#psks.length > 0;
    this.#symmetric = new SymmetricState(`Noise_${pattern.name}_25519_AESGCM_SHA256`);
    this.#symmetric.mixHash(prologue);
    for (const side of ["initiator", "responder"] as const)
      if (pattern.preMessages[side].includes("s"))
        this.#symmetric.mixHash(side === role ? required(this.#s).publicKey : required(this.#rs));
  }

  get isFinished(): boolean {
    return this.#messages === this.#pattern.messages.length;
  }

  /** The other's static key, once it is known. It is proven only when the handshake is finished. */
  get remoteStatic(): Uint8Array | null {
    return this.#rs ?? null;
  }

  /** @throws WireError `protocol-error` when a key of the other end yields no secret */
  writeMessage(payload: Uint8Array): Uint8Array {
    if (this.#turn !== "write") throw new Error("it is not our turn in the handshake");
    return this.#step((tokens) => {
      const message = concat(
        ...tokens.map((token) => this.#writeToken(token)),
        this.#symmetric.encryptAndHash(payload),
      );
      if (message.length > MAX_MESSAGE_BYTES) throw new RangeError("a handshake payload is too long");
      return message;
    });
  }

  /** @returns the payload. @throws WireError `protocol-error`, also when it is not the other's turn */
  readMessage(message: Uint8Array): Uint8Array {
    return this.#step((tokens) => {
      if (this.#turn !== "read" || message.length > MAX_MESSAGE_BYTES) throw failure();
      let at = 0;
      for (const token of tokens) at += this.#readToken(token, message.subarray(at));
      return this.#symmetric.decryptAndHash(message.slice(at));
    });
  }

  /** Once, after the last message. */
  split(): HandshakeResult {
    if (this.#dead || !this.isFinished) throw new Error("a handshake is split once, after its last message");
    this.#dead = true;
    this.#e = undefined;
    const [first, second] = this.#symmetric.split();
    if (this.#pattern.messages.length === 1) second.takeKey();
    return {
      send: this.#initiator ? first : second,
      receive: this.#initiator ? second : first,
      handshakeHash: this.#symmetric.getHandshakeHash(),
      exportSecret: this.#symmetric.exportSecret(EXPORT_LABEL),
    };
  }

  get #turn(): "write" | "read" {
    return (this.#messages % 2 === 0) === this.#initiator ? "write" : "read";
  }

  /** Dead until the message went through whole, so that nothing goes on after half of one. */
  #step(run: (tokens: readonly Token[]) => Uint8Array): Uint8Array {
    const tokens = this.#pattern.messages[this.#messages];
    if (this.#dead || tokens === undefined) throw failure();
    this.#dead = true;
    try {
      const bytes = run(tokens);
      this.#dead = false;
      this.#messages++;
      return bytes;
    } catch (error) {
      throw error instanceof WireError ? failure() : error;
    }
  }

  /** @returns what the token adds to the message */
  #writeToken(token: Token): Uint8Array {
    if (token === "e") return this.#mixEphemeral((this.#e = KeyPair.generate(this.#random)).publicKey);
    if (token === "s") return this.#symmetric.encryptAndHash(required(this.#s).publicKey);
    this.#mixSecret(token);
    return EMPTY;
  }

  /** @returns how many bytes the token took */
  #readToken(token: Token, rest: Uint8Array): number {
    if (token === "e") {
      this.#re = this.#mixEphemeral(this.#foreignKey(take(rest, KEY_BYTES)));
      return KEY_BYTES;
    }
    if (token === "s") {
      const length = KEY_BYTES + (this.#symmetric.hasKey ? TAG_BYTES : 0);
      this.#rs = this.#foreignKey(this.#symmetric.decryptAndHash(take(rest, length)));
      return length;
    }
    this.#mixSecret(token);
    return 0;
  }

  #mixSecret(token: Exclude<Token, "e" | "s">): void {
    if (token === "psk") this.#symmetric.mixKeyAndHash(required(this.#psks.shift()));
    else this.#symmetric.mixKey(this.#dh(token));
  }

  /** The token's first letter is the initiator's key, its second the responder's. */
  #dh(token: "ee" | "es" | "se" | "ss"): Uint8Array {
    const [ours, theirs] = this.#initiator ? [token[0], token[1]] : [token[1], token[0]];
    return required(ours === "e" ? this.#e : this.#s).dh(required(theirs === "e" ? this.#re : this.#rs));
  }

  /** Noise §9.2: with a psk the ephemeral goes into the key as well, lest a psk and one key be used twice. */
  #mixEphemeral(publicKey: Uint8Array): Uint8Array {
    this.#symmetric.mixHash(publicKey);
    if (this.#usesPsk) this.#symmetric.mixKey(publicKey);
    return publicKey;
  }

  /** Our own keys come back only from someone who mirrors what we send. */
  #foreignKey(publicKey: Uint8Array): Uint8Array {
    for (const own of [this.#s, this.#e])
      if (own !== undefined && equalBytes(own.publicKey, publicKey)) throw failure();
    return publicKey;
  }
}

function take(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length < length) throw failure();
  return bytes.slice(0, length);
}

/** One text for everything: it may reach whoever caused it. */
function failure(): WireError {
  return new WireError("protocol-error", "the handshake failed");
}

function required<Key>(key: Key | undefined): Key {
  if (key === undefined) throw new Error("the handshake pattern needs a key that was not given");
  return key;
}

function checkedPsks(pattern: HandshakePattern, psks: readonly Uint8Array[]): Uint8Array[] {
  const wanted = pattern.messages.flat().filter((token) => token === "psk").length;
  if (psks.length !== wanted || psks.some((psk) => psk.length !== KEY_BYTES))
    throw new RangeError(`pattern ${pattern.name} needs ${wanted} psks of ${KEY_BYTES} bytes`);
  return psks.map((psk) => psk.slice());
}
