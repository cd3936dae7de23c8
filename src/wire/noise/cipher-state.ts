import { WireError } from "../errors.ts";
import { AeadKey, NONCE_BYTES } from "./primitives.ts";

/** Noise §5.1. A key and the count of what was done with it; without a key it passes bytes through, as handshakes begin. */
export class CipherState {
  #key: Uint8Array | null = null;
  #aead: AeadKey | null = null;
  #taken = false;
  #n = 0;
  readonly #nonce = new Uint8Array(NONCE_BYTES);

  initializeKey(key: Uint8Array | null): void {
    this.#key = key;
    this.#aead = key === null ? null : new AeadKey(key);
    this.#n = 0;
  }

  get hasKey(): boolean {
    return this.#aead !== null;
  }

  encryptWithAd(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    this.#refuseTaken();
    if (this.#aead === null) return plaintext;
    const sealed = this.#aead.seal(this.#nextNonce(), ad, plaintext);
    this.#n++;
    return sealed;
  }

  /** @throws WireError `protocol-error` when the tag does not match; the count then stays */
  decryptWithAd(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    this.#refuseTaken();
    if (this.#aead === null) return ciphertext;
    const plaintext = this.#aead.open(this.#nextNonce(), ad, ciphertext);
    if (plaintext === null) throw new WireError("protocol-error", "cannot open a message");
    this.#n++;
    return new Uint8Array(plaintext);
  }

  /**
   * Hands out the raw AES key for a protocol that counts by itself, and never works again: two owners of one key repeat nonces.
   * @throws Error when there is no key or something was sealed or opened with it
   */
  takeKey(): Uint8Array {
    const key = this.#key;
    if (key === null || this.#n > 0) throw new Error("a cipher gives its key away only before its first use");
    this.initializeKey(null);
    this.#taken = true;
    return key;
  }

  /** Noise §12.4: four zero bytes, then n, big-endian. Exact until 2^53, which no connection reaches. */
  #nextNonce(): Uint8Array {
    if (this.#n >= Number.MAX_SAFE_INTEGER) throw new Error("the nonces of a key are used up");
    const [high, low, nonce] = [Math.floor(this.#n / 2 ** 32), this.#n >>> 0, this.#nonce];
    for (let index = 0; index < 4; index++) {
      nonce[4 + index] = high >>> (24 - 8 * index);
      nonce[8 + index] = low >>> (24 - 8 * index);
    }
    return this.#nonce;
  }

  #refuseTaken(): void {
    if (this.#taken) throw new Error("the key of this cipher was given away");
  }
}
