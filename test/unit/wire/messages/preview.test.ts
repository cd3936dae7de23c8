import { expect, test } from "bun:test";
import { packValue } from "../../../../src/wire/codec/msgpack.ts";
import { MAX_GREETING_BYTES } from "../../../../src/wire/limits.ts";
import { introductions } from "../../../../src/wire/messages/preview.ts";

function previewWith(greeting: string): Uint8Array {
  const [secret, signKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  return packValue([0x01, Uint8Array.of(1), 1, secret, 7, signKey, new Uint8Array(), greeting, null]);
}

test.each([
  ["of 10 KB", "x".repeat(10_240)],
  ["of a byte too much", "x".repeat(MAX_GREETING_BYTES + 1)],
  ["of few characters and many bytes", "😀".repeat(MAX_GREETING_BYTES / 4 + 1)],
])("bad input 97: a greeting %s is refused with the ring that it came in", (_, greeting) => {
  expect(() => introductions.decode(previewWith(greeting))).toThrow(
    /preview: (greeting is not|longer than 4048 bytes)/,
  );
});

test("a greeting of the longest that may be is read", () => {
  const greeting = "x".repeat(MAX_GREETING_BYTES);
  expect(introductions.decode(previewWith(greeting))).toMatchObject({ kind: "preview", greeting });
});
