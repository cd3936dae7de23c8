import { toHex, utf8 } from "../../wire/bytes.ts";
import { hkdf, hmacSha256, type KeyPair } from "../../wire/noise/primitives.ts";

const INFO = utf8("p2p names of limits");
const SECRET_BYTES = 32;
const NAME_BYTES = 16;

/**
 * Names addresses and people to the place that holds the limits of all nodes, under a secret of the server: there they can neither be
 * read nor found by trying every one there is.
 */
export class LimitKeys {
  readonly #secret: Uint8Array;

  /** @param keys the server's, which all its nodes have */
  constructor(keys: KeyPair) {
    this.#secret = hkdf(new Uint8Array(), keys.exportPrivateKey(), INFO, SECRET_BYTES);
  }

  /** @param limit its name, which no other has. @param who an address, a name: text without a zero byte */
  of(limit: string, who: string): string {
    const mac = hmacSha256(this.#secret, utf8(`${limit}\0${who}`));
    return `${limit}:${toHex(mac.subarray(0, NAME_BYTES))}`;
  }
}
