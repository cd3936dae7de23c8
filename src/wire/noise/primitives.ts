import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  hkdfSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
  webcrypto,
} from "node:crypto";
import { concat } from "../bytes.ts";
import type { Random } from "../core.ts";
import { WireError } from "../errors.ts";

// Every primitive the project uses, and the only import of node:crypto. Keys, seeds and hashes are plain byte arrays.

/** X25519 and Ed25519: private keys, seeds and public keys alike. Bytes. */
export const KEY_BYTES = 32;
/** What {@link AeadKey.seal} adds. Bytes. */
export const TAG_BYTES = 16;
export const NONCE_BYTES = 12;
/** SHA-256. Bytes. */
export const HASH_BYTES = 32;

type Curve = "x25519" | "ed25519";

/** X25519, RFC 7748 §5. Any 32 bytes are a private key. Holds the imported key, so that one pair costs one import. */
export class KeyPair {
  readonly publicKey: Uint8Array;
  readonly #handle: KeyObject;

  /** @throws TypeError unless given 32 bytes */
  constructor(privateKey: Uint8Array) {
    this.#handle = importPrivateKey("x25519", privateKey);
    this.publicKey = exportPublicKey(this.#handle);
  }

  static generate(random: Random): KeyPair {
    return new KeyPair(random(KEY_BYTES));
  }

  /** For storing; a method, so that no log of the object shows it. */
  exportPrivateKey(): Uint8Array {
    return exportPrivateKey(this.#handle);
  }

  /** Noise §4.1 DH(). @throws WireError `protocol-error` when the shared secret is all zero, RFC 7748 §6.1 */
  dh(publicKey: Uint8Array): Uint8Array {
    try {
      return plain(diffieHellman({ privateKey: this.#handle, publicKey: importPublicKey("x25519", publicKey) }));
    } catch {
      throw new WireError("protocol-error", "unusable public key");
    }
  }
}

/** Ed25519, RFC 8032 §5.1.5: the key pair that grows from a 32-byte seed. */
export class SigningKeyPair {
  readonly publicKey: Uint8Array;
  readonly #handle: KeyObject;

  /** @throws TypeError unless given 32 bytes */
  constructor(seed: Uint8Array) {
    this.#handle = importPrivateKey("ed25519", seed);
    this.publicKey = exportPublicKey(this.#handle);
  }

  static generate(random: Random): SigningKeyPair {
    return new SigningKeyPair(random(KEY_BYTES));
  }

  /** For storing; a method, so that no log of the object shows it. */
  exportSeed(): Uint8Array {
    return exportPrivateKey(this.#handle);
  }

  /** @returns 64 bytes */
  sign(message: Uint8Array): Uint8Array {
    return plain(sign(null, message, this.#handle));
  }
}

/** Ed25519. False, never a throw, whatever the bytes. */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, message, importPublicKey("ed25519", publicKey), signature);
  } catch {
    return false;
  }
}

/**
 * AES-256-GCM under one key, NIST SP 800-38D, with nonces of 96 bits and tags of 128. The caller never repeats a nonce. At the size of a
 * packet four fifths of the time are the calls into the runtime, whatever they carry; so the key object is made once, and nothing is joined.
 */
export class AeadKey {
  readonly #key: KeyObject;
  /** So few bytes are copied faster than a view of them is made. */
  readonly #tag = new Uint8Array(TAG_BYTES);

  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`an AES-256 key has ${KEY_BYTES} bytes, not ${key.length}`);
    this.#key = createSecretKey(key);
  }

  /** @returns ciphertext and tag */
  seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const sealed = new Uint8Array(plaintext.length + TAG_BYTES);
    this.#seal(nonce, associated, plaintext, sealed, 0);
    return sealed;
  }

  /** Replaces the `length` bytes at `at` by their ciphertext and puts the tag behind. */
  sealInPlace(nonce: Uint8Array, associated: Uint8Array, bytes: Uint8Array, at: number, length: number): void {
    this.#seal(nonce, associated, bytes.subarray(at, at + length), bytes, at);
  }

  /**
   * Opens ciphertext and tag from `start` to `end`. `update` hands plaintext out before the tag is checked; this is the one place that
   * sees it, and it leaves here only after `final` passed.
   * @returns plaintext in memory of its own; null when the tag does not match. It is the runtime's Buffer, whose `slice` shares memory:
   *   making a plain array of it would cost 0.4 µs a packet
   */
  open(nonce: Uint8Array, associated: Uint8Array, bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array | null {
    const tagAt = end - TAG_BYTES;
    if (tagAt < start) return null;
    const decipher = createDecipheriv("aes-256-gcm", this.#key, checkedNonce(nonce));
    if (associated.length > 0) decipher.setAAD(associated);
    for (let index = 0; index < TAG_BYTES; index++) this.#tag[index] = bytes[tagAt + index] ?? 0;
    decipher.setAuthTag(this.#tag);
    const plaintext = decipher.update(bytes.subarray(start, tagAt));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return plaintext;
  }

  #seal(nonce: Uint8Array, associated: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): void {
    const cipher = createCipheriv("aes-256-gcm", this.#key, checkedNonce(nonce));
    if (associated.length > 0) cipher.setAAD(associated);
    into.set(cipher.update(plaintext), at);
    cipher.final();
    const tag = cipher.getAuthTag();
    for (let index = 0; index < TAG_BYTES; index++) into[at + plaintext.length + index] = tag[index] ?? 0;
  }
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Once, at the end. */
  digest(): Uint8Array;
}

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return plain(hash("sha256", concat(...parts), "buffer"));
}

/** For what is large or comes in pieces: nothing is copied. */
export function createSha256(): Hasher {
  const hasher = createHash("sha256");
  return { update: (bytes) => void hasher.update(bytes), digest: () => plain(hasher.digest()) };
}

/** SHA-256 beside the loop, in the runtime's threads. Of `bytes` a copy is made before this returns, and to hand it over takes 0.1 ms a MiB. */
export async function sha256Aside(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await webcrypto.subtle.digest("SHA-256", bytes));
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  return plain(hash("sha512", concat(...parts), "buffer"));
}

/** RFC 2104. Compare two of them with {@link equalSecrets}. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return plain(mac.digest());
}

/** HKDF-SHA-256, RFC 5869. @throws RangeError beyond 255 × 32 bytes */
export function hkdf(salt: Uint8Array, secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, salt, info, length));
}

/** In a time that tells nothing about the contents; lengths are public. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function importPrivateKey(curve: Curve, key: Uint8Array): KeyObject {
  return createPrivateKey({ key, format: "raw-private", asymmetricKeyType: curve });
}

function importPublicKey(curve: Curve, key: Uint8Array): KeyObject {
  return createPublicKey({ key, format: "raw-public", asymmetricKeyType: curve });
}

function exportPrivateKey(handle: KeyObject): Uint8Array {
  return plain(handle.export({ format: "raw-private" }));
}

function exportPublicKey(handle: KeyObject): Uint8Array {
  return plain(createPublicKey(handle).export({ format: "raw-public" }));
}

/** GCM takes other lengths too, and loses its bounds with them. */
function checkedNonce(nonce: Uint8Array): Uint8Array {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`a nonce has ${NONCE_BYTES} bytes, not ${nonce.length}`);
  return nonce;
}

/** A copy that is no Buffer and shares no pool. */
function plain(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer);
}
