import { concat, utf8 } from "../bytes.ts";
import { CipherState } from "./cipher-state.ts";
import { HASH_BYTES, hkdf, sha256 } from "./primitives.ts";

const EMPTY = new Uint8Array(0);

/** Noise §5.2, with SHA-256. */
export class SymmetricState {
  readonly #cipher = new CipherState();
  #ck: Uint8Array;
  #h: Uint8Array;

  /** InitializeSymmetric(). */
  constructor(protocolName: string) {
    const name = utf8(protocolName);
    this.#h = name.length <= HASH_BYTES ? concat(name, new Uint8Array(HASH_BYTES - name.length)) : sha256(name);
    this.#ck = this.#h;
  }

  mixKey(inputKeyMaterial: Uint8Array): void {
    const [ck, key] = this.#hkdf(inputKeyMaterial);
    this.#ck = ck;
    this.#cipher.initializeKey(key);
  }

  mixHash(data: Uint8Array): void {
    this.#h = sha256(this.#h, data);
  }

  mixKeyAndHash(inputKeyMaterial: Uint8Array): void {
    const [ck, hash, key] = this.#hkdf(inputKeyMaterial);
    this.#ck = ck;
    this.mixHash(hash);
    this.#cipher.initializeKey(key);
  }

  getHandshakeHash(): Uint8Array {
    return this.#h;
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher.encryptWithAd(this.#h, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** @throws WireError `protocol-error` when the tag does not match */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const plaintext = this.#cipher.decryptWithAd(this.#h, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** Whether {@link encryptAndHash} adds a tag at this point. */
  get hasKey(): boolean {
    return this.#cipher.hasKey;
  }

  /** The first cipher is for what the initiator sends, the second for what the responder does. */
  split(): [CipherState, CipherState] {
    const [first, second] = this.#hkdf(EMPTY);
    const ciphers: [CipherState, CipherState] = [new CipherState(), new CipherState()];
    ciphers[0].initializeKey(first);
    ciphers[1].initializeKey(second);
    return ciphers;
  }

  /** 32 bytes that say nothing about the keys of {@link split}, whose info is empty: HKDF of the final chaining key under a label. */
  exportSecret(label: string): Uint8Array {
    return hkdf(this.#ck, EMPTY, utf8(label), HASH_BYTES);
  }

  /** Noise §4.3 HKDF() is RFC 5869 with the chaining key as salt and an empty info; two outputs are a prefix of three. */
  #hkdf(inputKeyMaterial: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
    const okm = hkdf(this.#ck, inputKeyMaterial, EMPTY, 3 * HASH_BYTES);
    return [okm.slice(0, HASH_BYTES), okm.slice(HASH_BYTES, 2 * HASH_BYTES), okm.slice(2 * HASH_BYTES)];
  }
}
