import { expect, test } from "bun:test";
import fc from "fast-check";
import { Packr, unpack } from "msgpackr/pack";
import { packValue, scanValue, type Value } from "../../../../src/wire/codec/msgpack.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { unpackValue } from "../../../support/unpack-value.ts";

const limits = { maxDepth: 8, maxCount: 1_000 };
const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));
const refuses = (text: string) => expect(() => unpackValue(hex(text), limits)).toThrow(WireError);

const packr = new Packr({ useRecords: false });

const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<Value[]>(null, true, false),
    fc.maxSafeNat(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 20 }),
  ),
})).value;

test("unpackValue() gives back what packValue() was given", () => {
  fc.assert(fc.property(value, (given) => expect(unpackValue(packValue(given), limits)).toEqual(given as never)));
});

test("packValue() writes the bytes that the library writes", () => {
  fc.assert(
    fc.property(value, (given) => expect(packValue(given).toHex()).toBe(packr.pack(libraryForm(given)).toHex())),
  );
  const wide = ["x".repeat(70_000), new Uint8Array(70_000), Array.from({ length: 70_000 }, (_, index) => index)];
  for (const given of wide) expect(packValue(given).toHex()).toBe(packr.pack(given).toHex());
});

/** The library writes numbers above 2^32 as floats unless they come as BigInt. */
function libraryForm(given: Value): unknown {
  if (typeof given === "number" && given > 0xffff_ffff) return BigInt(given);
  return Array.isArray(given) ? given.map(libraryForm) : given;
}

test("packValue() writes numbers and lengths at every boundary in their shortest form", () => {
  const boundaries: Value[] = [0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
  for (const length of [0, 31, 32, 255, 256, 65_535, 65_536])
    boundaries.push("a".repeat(length), "ä".repeat(length), new Uint8Array(length));
  for (const given of boundaries) expect(unpackValue(packValue(given), limits)).toEqual(given as never);
});

test("unpackValue() never throws anything but WireError, and what it accepts the library reads alike", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      try {
        expect(unpackValue(noise, limits)).toEqual(unpack(noise) as never);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
    { numRuns: 5_000 },
  );
});

test("bad input 50: a value that is empty, cut short, followed by more, or nested too deep is refused", () => {
  refuses("");
  refuses("93 01 02");
  refuses("01 02");
  refuses("a3 61 62");
  refuses(`${"91".repeat(9)} 01`);
  refuses(`${"91".repeat(100_000)} 01`);
});

test("a header that promises four billion elements or bytes is refused without building them", () => {
  refuses("dd ff ff ff ff");
  refuses("c6 ff ff ff ff");
  refuses("db ff ff ff ff 61");
  refuses("df ff ff ff ff");
});

test("bad input 51: maps are refused, so that no key of theirs reaches an object", () => {
  refuses("81 a9 5f5f70726f746f5f5f 90");
  refuses("80");
});

test("bad input 52: negative, fractional, too large and longer-than-needed numbers are refused", () => {
  refuses("ff"); // -1
  refuses("d0 80"); // int 8
  refuses("d3 ff ff ff ff ff ff ff ff"); // -1 as int 64
  refuses("ca 3f 80 00 00"); // 1.0 as float 32
  refuses("cb 7f f0 00 00 00 00 00 00"); // infinity
  refuses("cf 00 20 00 00 00 00 00 00"); // 2^53
  refuses("cc 7f"); // 127 in two bytes
  refuses("cd 00 ff");
  refuses("d9 01 61"); // one letter behind an 8-bit length
  refuses("c5 00 01 00");
  refuses("dc 00 01 c0");
});

test("extension types and strings that are not UTF-8 are refused", () => {
  refuses("d4 01 00");
  refuses("c7 00 01");
  refuses("d6 ff 00 00 00 00"); // timestamp
  refuses("a1 ff");
  refuses("a2 c0 af"); // an overlong slash
  refuses("a3 ed a0 80"); // a lone surrogate
});

test("scanValue() walks one of several values and returns where the next begins", () => {
  const row = hex("92 01 a1 61 c0 05");
  expect(scanValue(row, 0, limits)).toBe(4);
  expect(scanValue(row, 4, limits)).toBe(5);
  expect(scanValue(row, 5, limits)).toBe(6);
});
