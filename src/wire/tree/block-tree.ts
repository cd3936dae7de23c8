import { createSha256, sha256 } from "../noise/primitives.ts";

// PROTOCOL.md §9.6. The Merkle tree of RFC 6962 §2.1 over a file's blocks of BLOCK_BYTES, of which the last may be shorter.

/** Stands before a block where it is hashed. */
export const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(block: Uint8Array): Uint8Array {
  const hasher = createSha256();
  hasher.update(LEAF);
  hasher.update(block);
  return hasher.digest();
}

/** Finds the root while the leaves come in, holding one hash per bit of their number: at most 33 for the longest file. */
export class RootBuilder {
  /** Roots of full subtrees, the largest first; their sizes are the bits of the number of leaves. */
  readonly #roots: Uint8Array[] = [];
  #leaves = 0;

  /** In the order of the file. @param leaf what {@link leafHash} gave */
  add(leaf: Uint8Array): void {
    let root = leaf;
    for (let bits = this.#leaves; bits % 2 === 1; bits = Math.floor(bits / 2))
      root = nodeHash(this.#roots.pop() ?? root, root);
    this.#roots.push(root);
    this.#leaves += 1;
  }

  /** Of the leaves so far; more may follow. Without leaves: SHA-256 of nothing, as RFC 6962 has it. */
  root(): Uint8Array {
    const last = this.#roots.at(-1);
    if (last === undefined) return sha256();
    return this.#roots.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
  }
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}
