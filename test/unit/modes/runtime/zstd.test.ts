import { expect, test } from "bun:test";
import { zstd } from "../../../../src/modes/runtime/zstd.ts";
import { Seeded } from "../../../sim/seeded.ts";

/** A frame by hand, RFC 8878 §3.1.1: a window of 2^`windowLog` bytes, no size told, and one raw block of five bytes. */
function frameWithWindow(windowLog: number): Uint8Array {
  return Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3, 0x29, 0, 0, 1, 2, 3, 4, 5);
}

test("zstd.decompress() gives what compress() was given, up to the longest message", () => {
  for (const bytes of [1, 100, 8_192, 65_536]) {
    const plain = new Seeded(bytes).bytes(bytes);
    plain.fill(1, 0, bytes / 2);
    expect(zstd.decompress(zstd.compress(plain), bytes)).toEqual(plain);
  }
});

test("zstd.decompress() stops at the bytes it was asked for: 100 MB in 3 KB cost no memory", () => {
  const bomb = zstd.compress(new Uint8Array(100_000_000));
  expect(bomb.length).toBeLessThan(4_000);
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  for (let round = 0; round < 20; round++) expect(zstd.decompress(bomb, 65_536)).toBeNull();
  expect(process.memoryUsage.rss() - before).toBeLessThan(30_000_000);
});

test("zstd.decompress() refuses a frame that asks for a window of more than 64 KiB", () => {
  expect(zstd.decompress(frameWithWindow(16), 5)).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  for (const windowLog of [17, 20, 27, 31, 41]) expect(zstd.decompress(frameWithWindow(windowLog), 5)).toBeNull();
});

test("zstd.decompress() refuses what is no frame, or is cut short, although the library takes some of it for nothing", () => {
  const frame = zstd.compress(new Uint8Array(500));
  for (const wrong of [new Uint8Array(), new Uint8Array(10), frame.subarray(0, 4), frame.subarray(0, -1)])
    expect(zstd.decompress(wrong, 500)).toBeNull();
  // A frame to be skipped, RFC 8878 §3.1.2.
  expect(zstd.decompress(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7), 1)).toBeNull();
});
