import { expect, test } from "bun:test";
import fc from "fast-check";
import { concat } from "../../../../../src/wire/bytes.ts";
import { WireError } from "../../../../../src/wire/errors.ts";
import type { TransferBulk } from "../../../../../src/wire/messages/transfer.ts";
import type { ByteReader } from "../../../../../src/modes/peer/peer-session.ts";
import { BulkInput, framed } from "../../../../../src/modes/peer/transfer/message-stream.ts";
import { binaryOf } from "../../../../../src/wire/codec/binaries.ts";

/** A stream that arrives in pieces of these sizes, over and over. */
function arriving(
  bytes: Uint8Array,
  sizes: readonly number[],
): { readonly reader: ByteReader; readonly credit: () => number } {
  let at = 0;
  let turn = 0;
  let credit = 0;
  const reader: ByteReader = {
    async read() {
      if (at === bytes.length) return null;
      const piece = bytes.slice(at, at + (sizes[turn++ % sizes.length] ?? 1));
      at += piece.length;
      return piece;
    },
    consumed: (count) => void (credit += count),
    stop: () => undefined,
  };
  return { reader, credit: () => credit };
}

const transfer = new Uint8Array(16).fill(0xaa);
const block: TransferBulk = { kind: "block", entry: 0, index: 0, bytes: 1_000, hash: new Uint8Array(32) };

test("framed() puts a binary head before a message, as PROTOCOL.md §9.5 has it", () => {
  expect(framed({ kind: "pagesOf", transfer }).toHex()).toBe(`c4149201c410${"aa".repeat(16)}`);
  expect(binaryOf(new Uint8Array(0x100)).subarray(0, 3).toHex()).toBe("c50100");
  expect(binaryOf(new Uint8Array(0x1_0000)).subarray(0, 5).toHex()).toBe("c600010000");
});

test("BulkInput gives back messages and the bytes between them, however they are cut", async () => {
  const bytes = new Uint8Array(1_000).map((_, index) => index);
  const page: TransferBulk = { kind: "page", first: 0, entries: [{ path: ["x".repeat(255)], kind: "file", bytes: 5 }] };
  const stream = concat(framed({ kind: "dataOf", transfer }), framed(block), bytes, framed(page));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), async (sizes) => {
      const { reader, credit } = arriving(stream, sizes);
      const input = new BulkInput(reader);
      expect(await input.next()).toEqual({ kind: "dataOf", transfer });
      expect(await input.next()).toEqual(block);
      const raw = new Uint8Array(1_000);
      await input.readInto(raw);
      expect(raw).toEqual(bytes);
      expect(await input.next()).toEqual(page);
      expect(await input.next()).toBeNull();
      input.consumed(input.taken());
      expect([credit(), input.taken()]).toEqual([stream.length, 0]);
    }),
  );
});

test("BulkInput refuses any bytes that are no messages with a WireError, and nothing else", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
      const input = new BulkInput(arriving(bytes, [7]).reader);
      try {
        while ((await input.next()) !== null);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 500 },
  );
});

test("BulkInput refuses a stream that was cut anywhere within a message or its bytes", async () => {
  const whole = concat(framed(block), new Uint8Array(1_000));
  for (let length = 1; length < whole.length; length += 13) {
    const input = new BulkInput(arriving(whole.subarray(0, length), [100]).reader);
    const reading = async () => {
      await input.next();
      await input.readInto(new Uint8Array(1_000));
    };
    await expect(reading()).rejects.toMatchObject({ code: "bad-message" });
  }
});
