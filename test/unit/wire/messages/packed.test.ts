import { expect, test } from "bun:test";
import fc from "fast-check";
import { zstd } from "../../../../src/modes/runtime/zstd.ts";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { MAX_CHAT_BYTES, MAX_STREAM_MESSAGE_BYTES } from "../../../../src/wire/limits.ts";
import { chat } from "../../../../src/wire/messages/chat.ts";
import { packed, packing, unpacked } from "../../../../src/wire/messages/packed.ts";
import { Seeded } from "../../../sim/seeded.ts";

function line(text: Uint8Array): Uint8Array {
  return chat.encode({ kind: "text", id: new Uint8Array(16).fill(7), text, sentAtMs: 1_700_000_000_000 });
}

const bomb = (bytes: number, said: number) =>
  packing.encode({ kind: "packed", bytes: said, frame: zstd.compress(new Uint8Array(bytes)) });

test("packed() makes a line of words shorter, and unpacked() gives it back", () => {
  const encoded = line(utf8("what do you think of it, and what would you rather do about it? ".repeat(20)));
  const bytes = packed(encoded, zstd);
  expect(bytes.length).toBeLessThan(encoded.length / 4);
  expect(unpacked(bytes, zstd)).toEqual(encoded);
});

test("packed() leaves alone what is short and what does not shrink by an eighth", () => {
  const random = new Seeded(1).bytes;
  for (const text of [utf8("good morning"), utf8("ha".repeat(40)), random(1_000), random(MAX_CHAT_BYTES)]) {
    const encoded = line(text);
    expect(packed(encoded, zstd)).toBe(encoded);
    expect(unpacked(encoded, zstd)).toBe(encoded);
  }
});

test("whatever is said arrives as it was, and never in more bytes than it has", () => {
  const words = fc.array(fc.constantFrom("yes", "no", "a longer word", "😀"), { maxLength: 600 });
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: MAX_CHAT_BYTES }),
    words.map((all) => utf8(all.join(" "))),
  );
  const property = fc.property(texts, (text) => {
    const encoded = line(text.subarray(0, MAX_CHAT_BYTES));
    const bytes = packed(encoded, zstd);
    expect(bytes.length).toBeLessThanOrEqual(encoded.length);
    expect(unpacked(bytes, zstd)).toEqual(encoded);
  });
  fc.assert(property);
});

test("a message gets the same bytes whatever was said before it: nothing is learnt from one for the next", () => {
  const [secret, encoded] = [line(utf8("the number is 4711 ".repeat(30))), line(utf8("the number is 4711".repeat(8)))];
  const alone = packed(encoded, zstd);
  packed(secret, zstd);
  expect(packed(encoded, zstd)).toEqual(alone);
});

test("unpacked() refuses a frame of more bytes than are said, of fewer, of none, and one over the limit", () => {
  const wrong = [
    bomb(10_000_000, 8_192),
    bomb(10_000_000, MAX_STREAM_MESSAGE_BYTES),
    bomb(8_193, 8_192),
    bomb(8_191, 8_192),
    bomb(1, 0),
    bomb(0, 0),
    bomb(MAX_STREAM_MESSAGE_BYTES + 1, MAX_STREAM_MESSAGE_BYTES + 1),
    bomb(10_000_000, 10_000_000),
    packing.encode({ kind: "packed", bytes: 100, frame: new Uint8Array() }),
    packing.encode({ kind: "packed", bytes: 100, frame: new Uint8Array(50) }),
  ];
  for (const bytes of wrong) expect(() => unpacked(bytes, zstd)).toThrow(WireError);
});

test("unpacked() refuses a packed message in a packed one, and one that lacks a field", () => {
  const encoded = line(utf8("again and ".repeat(60)));
  const inner = packed(encoded, zstd);
  const frame = zstd.compress(inner);
  expect(() => unpacked(packing.encode({ kind: "packed", bytes: inner.length, frame }), zstd)).toThrow(WireError);
  for (const bytes of [Uint8Array.of(0x90, 0), Uint8Array.of(0x91, 0), Uint8Array.of(0x92, 0, 5)])
    expect(() => unpacked(bytes, zstd)).toThrow(WireError);
});

test("unpacked() of a packed message with any byte changed, or cut short, gives as many bytes as are said or a WireError", () => {
  const bytes = packed(line(utf8("what do you think of it? ".repeat(30))), zstd);
  const said = packing.decode(bytes);
  for (let at = 2; at < bytes.length; at++)
    for (const change of [1, 128, 255]) {
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) ^ change;
      expectUnpackedOrRefused(copy);
    }
  for (let length = 1; length < said.frame.length; length++) {
    const cut = packing.encode({ ...said, frame: said.frame.subarray(0, length) });
    expect(() => unpacked(cut, zstd)).toThrow(WireError);
  }
});

function expectUnpackedOrRefused(bytes: Uint8Array): void {
  try {
    expect(unpacked(bytes, zstd).length).toBeLessThanOrEqual(MAX_STREAM_MESSAGE_BYTES);
  } catch (error) {
    expect(error).toBeInstanceOf(WireError);
  }
}
