import { sha256Aside } from "../noise/primitives.ts";
import { LEAF, leafHash } from "./block-tree.ts";

/** Hashing this much takes hardly longer than having it done elsewhere. Bytes. */
const MIN_ASIDE_BYTES = 65_536;

/** Room for a block, behind the byte that makes its hash that of a leaf: so both are hashed in one go, and beside the loop. */
export class LeafBuffer {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(blockBytes: number) {
    this.#bytes = new Uint8Array(LEAF.length + blockBytes);
    this.#bytes.set(LEAF);
  }

  /** The room itself, or the start of it. */
  block(bytes: number): Uint8Array {
    return this.#bytes.subarray(LEAF.length, LEAF.length + bytes);
  }

  /** Of what stands there now; the room may be used again at once. @returns what {@link leafHash} gives for a block of `bytes` */
  async hash(bytes: number): Promise<Uint8Array> {
    if (bytes < MIN_ASIDE_BYTES) return leafHash(this.block(bytes));
    return sha256Aside(this.#bytes.subarray(0, LEAF.length + bytes));
  }
}
