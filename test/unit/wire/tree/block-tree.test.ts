import { expect, test } from "bun:test";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { toHex } from "../../../../src/wire/bytes.ts";
import { leafHash, RootBuilder } from "../../../../src/wire/tree/block-tree.ts";

/** The leaves of the test of RFC 6962's reference implementation, certificate-transparency `merkle_tree_test.cc`, and its roots. */
const referenceLeaves = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const referenceRoots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

function rootOf(blocks: readonly Uint8Array[]): Uint8Array {
  const builder = new RootBuilder();
  for (const block of blocks) builder.add(leafHash(block));
  return builder.root();
}

test("RootBuilder of no leaf is the hash of nothing, so that an empty file has a root", () => {
  expect(toHex(new RootBuilder().root())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test.each(referenceRoots.map((root, index) => [index + 1, root] as const))(
  "RootBuilder of the first %d reference leaves of RFC 6962 gives the published root",
  (count, root) => {
    const blocks = referenceLeaves.slice(0, count).map((leaf) => Uint8Array.fromHex(leaf));
    expect(toHex(rootOf(blocks))).toBe(root);
  },
);

const zeros = new Uint8Array(1_048_576);
const files: ReadonlyArray<readonly [string, readonly Uint8Array[], string]> = [
  ["abc", [new TextEncoder().encode("abc")], "609f6e36d2405585188d5cfd761f407c7cc46a7d3f314c88270469dde315fcd1"],
  ["1 MiB of zeros", [zeros], "2cb74edba754a81d121c9db6833704a8e7d417e5b13d1a19f4a52f007d644264"],
  [
    "2 MiB and one byte of zeros",
    [zeros, zeros, zeros.subarray(0, 1)],
    "201f03e482d72e53e53443ebe6a068d64e1a985393c21057a8dc8ef8a15ae191",
  ],
];

test.each(files)("RootBuilder of a file of %s matches PROTOCOL.md §9.6", (_what, blocks, root) => {
  expect(toHex(rootOf(blocks))).toBe(root);
});

test("RootBuilder agrees with the recursive definition of RFC 6962 §2.1 for any number of leaves", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 70 }), (blocks) => {
      expect(toHex(rootOf(blocks))).toBe(toHex(definition(blocks)));
    }),
  );
});

test("RootBuilder.root() may be asked between leaves without changing what follows", () => {
  const builder = new RootBuilder();
  for (const [index, leaf] of referenceLeaves.entries()) {
    builder.add(leafHash(Uint8Array.fromHex(leaf)));
    expect(toHex(builder.root())).toBe(referenceRoots[index] ?? "");
  }
});

test("RootBuilder tells apart a block and the two hashes whose node it imitates", () => {
  const [a, b] = [leafHash(Uint8Array.of(1)), leafHash(Uint8Array.of(2))];
  const forged = rootOf([Uint8Array.of(...a, ...b)]);
  expect(toHex(forged)).not.toBe(toHex(rootOf([Uint8Array.of(1), Uint8Array.of(2)])));
});

/** MTH of RFC 6962 §2.1, word by word and with another implementation of the hash call. */
function definition(blocks: readonly Uint8Array[]): Uint8Array {
  const hash = (...parts: Uint8Array[]) => {
    const hasher = createHash("sha256");
    for (const part of parts) hasher.update(part);
    return new Uint8Array(hasher.digest());
  };
  const [only] = blocks;
  if (only === undefined) return hash();
  if (blocks.length === 1) return hash(Uint8Array.of(0), only);
  let k = 1;
  while (k * 2 < blocks.length) k *= 2;
  return hash(Uint8Array.of(1), definition(blocks.slice(0, k)), definition(blocks.slice(k)));
}
