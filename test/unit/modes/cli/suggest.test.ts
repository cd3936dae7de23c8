import { expect, test } from "bun:test";
import { nearest } from "../../../../src/modes/cli/suggest.ts";

const known = ["send", "server", "receive", "users", "chat", "msg"];

test.each([
  ["sned", "send"],
  ["recieve", "receive"],
  ["user", "users"],
  ["serverr", "server"],
  ["chta", "chat"],
  ["msg", "msg"],
])("nearest() finds what %s was meant to be", (typed, meant) => {
  expect(nearest(typed, known)).toBe(meant);
});

test.each(["frobnicate", "x", "", "zzzz"])("nearest() does not guess at %j", (typed) => {
  expect(nearest(typed, known)).toBeNull();
});
