import { expect, test } from "bun:test";
import { encodePrologue } from "../../../../src/wire/noise/prologue.ts";
import { hex } from "../../../support/bytes.ts";

test("encodePrologue() puts 2 bytes of length before each part, text as UTF-8", () => {
  expect(encodePrologue("é", hex("01 02 03"), "")).toEqual(hex("0002 c3a9 0003 010203 0000"));
});

test("encodePrologue() tells apart what only joins to the same bytes", () => {
  expect(encodePrologue("ab", "c")).not.toEqual(encodePrologue("a", "bc"));
});

test("encodePrologue() refuses a part over 65 535 bytes", () => {
  expect(encodePrologue(new Uint8Array(65_535)).length).toBe(65_537);
  expect(() => encodePrologue(new Uint8Array(65_536))).toThrow(RangeError);
});
