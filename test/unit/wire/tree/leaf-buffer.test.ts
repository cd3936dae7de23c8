import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { leafHash } from "../../../../src/wire/tree/block-tree.ts";
import { LeafBuffer } from "../../../../src/wire/tree/leaf-buffer.ts";

const MIB = 1_048_576;

function filled(bytes: number, room = bytes): LeafBuffer {
  const buffer = new LeafBuffer(room);
  buffer.block(bytes).set(new Uint8Array(bytes).map((_, index) => index * 7));
  return buffer;
}

test.each([0, 1, 65_535, 65_536, 65_537, MIB])("LeafBuffer.hash() of %d bytes is their leaf", async (bytes) => {
  for (const buffer of [filled(bytes), filled(bytes, MIB + 1)]) {
    const leaf = await buffer.hash(bytes);
    expect(leaf).toEqual(leafHash(buffer.block(bytes)));
    const published = createHash("sha256").update(Uint8Array.of(0)).update(buffer.block(bytes));
    expect(leaf.toHex()).toBe(published.digest("hex"));
  }
});

test("LeafBuffer.hash() is of what stood there when it was asked for", async () => {
  const buffer = filled(MIB);
  const expected = leafHash(buffer.block(MIB));
  const asked = buffer.hash(MIB);
  buffer.block(MIB).fill(0);
  expect(await asked).toEqual(expected);
});

test("LeafBuffer.hash() hashes a short block at once, and a long one while the loop goes on", async () => {
  const done: string[] = [];
  const long = filled(MIB).hash(MIB);
  const short = filled(100).hash(100);
  void long.then(() => done.push("long"));
  void short.then(() => done.push("short"));
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  expect(done).toEqual(["short"]);
  await long;
});

test("LeafBuffer hashes several blocks at the same time, each as its own", async () => {
  const buffers = [1, 2, 3, 4].map((byte) => {
    const buffer = new LeafBuffer(MIB);
    buffer.block(MIB).fill(byte);
    return buffer;
  });
  const leaves = await Promise.all(buffers.map(async (buffer) => buffer.hash(MIB)));
  expect(leaves).toEqual(buffers.map((buffer) => leafHash(buffer.block(MIB))));
});
