import { expect, test } from "bun:test";
import { safetyNumber } from "../../../../src/wire/noise/safety-number.ts";
import { flipBit } from "../../../support/bytes.ts";

const one = Uint8Array.from({ length: 32 }, (_, index) => index);
const other = new Uint8Array(32).fill(255);

test("safetyNumber() gives the 60 digits that another implementation of PROTOCOL.md gives", () => {
  const [lower, higher] = ["285857783527491622992673414458", "941078409585117801747976088475"];
  expect(safetyNumber(one, other)).toBe(lower + higher);
});

test("safetyNumber() is the same from both ends", () => {
  expect(safetyNumber(other, one)).toBe(safetyNumber(one, other));
});

test("safetyNumber() changes with one bit of either key", () => {
  const number = safetyNumber(one, other);
  expect(safetyNumber(flipBit(one, 255), other)).not.toBe(number);
  expect(safetyNumber(one, flipBit(other, 0))).not.toBe(number);
});
