import { expect, test } from "bun:test";
import fc from "fast-check";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import { parseName, parseNewName, parsePerson, problemWithName } from "../../../../src/modes/cli/names.ts";

const NAME = /^[a-z0-9]+([._-][a-z0-9]+)*$/;

test.each([
  ["ana", "ana"],
  ["Ana", "ana"],
  ["ANA", "ana"],
  ["a-b.c_d", "a-b.c_d"],
  ["007", "007"],
  ["a".repeat(32), "a".repeat(32)],
])("parseName() takes %s", (typed, name) => {
  expect(parseName(typed)).toBe(name);
});

test.each([
  ["аdmin"], // Cyrillic а
  ["\uff41dmin"],
  ["admin\u200b"],
  ["ad\u00admin"],
  [".."],
  ["a..b"],
  ["a.-b"],
  ["-xy"],
  ["xy-"],
  [".xy"],
  ["a/b"],
  ["a b"],
  ["ab"],
  ["a".repeat(33)],
  [""],
  ["🙂🙂🙂"],
  ["\u200fana"],
  ["ana\n"],
  ["\u212aana"], // the Kelvin sign, which lower-cases to k
])("bad input 66: %j is no name", (typed) => {
  expect(() => parseName(typed)).toThrow(UserError);
});

test.each(["Admin", "ADMIN", "root", "server", "system", "support", "null", "all", "everyone"])(
  "bad input 66: %s is reserved for nobody to register",
  (typed) => {
    expect(() => parseNewName(typed)).toThrow(expect.objectContaining({ code: "bad-name" }));
    expect(parseName(typed)).toBe(typed.toLowerCase());
  },
);

test("parsePerson() takes a name with or without @, and @me for one's own devices", () => {
  expect([parsePerson("@Bob"), parsePerson("bob"), parsePerson("@me")]).toEqual(["bob", "bob", "me"]);
  expect(() => parsePerson("me")).toThrow(expect.objectContaining({ code: "usage" }));
  expect(() => parsePerson("@@bob")).toThrow(expect.objectContaining({ code: "usage" }));
});

test("problemWithName() agrees with the grammar on every text", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 34 }), fc.stringMatching(/^[a-z0-9._-]{0,34}$/));
  fc.assert(
    fc.property(text, (name) => {
      expect(problemWithName(name) === null).toBe(NAME.test(name) && name.length >= 3 && name.length <= 32);
    }),
    { numRuns: 2_000 },
  );
});

test("an empty name is called empty, not too short", () => {
  expect(problemWithName("")).toBe("the name is empty");
});
