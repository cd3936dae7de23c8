import { expect, test } from "bun:test";
import { type Look, mayAsk, mayColor, mayRedraw } from "../../../../src/modes/cli/look.ts";

const look: Look = { json: false, quiet: false, verbose: false, plain: false, color: "auto" };

test("mayAsk(): stdin and stderr are terminals, and no program reads JSON", () => {
  const all = { stdin: true, stdout: true, stderr: true };
  expect(mayAsk({ ...all, stdout: false }, false)).toBe(true);
  expect(mayAsk(all, true)).toBe(false);
  expect(mayAsk({ ...all, stdin: false }, false)).toBe(false);
  expect(mayAsk({ ...all, stderr: false }, false)).toBe(false);
});

test.each<[string, Partial<Look>, Record<string, string>, boolean, boolean]>([
  ["a terminal has colours", {}, {}, true, true],
  ["a file has none", {}, {}, false, false],
  ["--color always puts them there", { color: "always" }, {}, false, true],
  ["--color never takes them away", { color: "never" }, {}, true, false],
  ["NO_COLOR takes them away", {}, { NO_COLOR: "1" }, true, false],
  ["an empty NO_COLOR does not", {}, { NO_COLOR: "" }, true, true],
  ["--color beats NO_COLOR", { color: "always" }, { NO_COLOR: "1" }, true, true],
  ["TERM=dumb takes them away", {}, { TERM: "dumb" }, true, false],
  ["--plain takes them away", { plain: true }, {}, true, false],
])("mayColor(): %s", (_, changes, env, isTerminal, expected) => {
  expect(mayColor({ ...look, ...changes }, env, isTerminal)).toBe(expected);
});

test.each<[string, Partial<Look>, Record<string, string>, boolean, boolean]>([
  ["a terminal is drawn on", {}, {}, true, true],
  ["a file is not", {}, {}, false, false],
  ["nor a dumb terminal", {}, { TERM: "dumb" }, true, false],
  ["nor with --plain", { plain: true }, {}, true, false],
  ["nor with --json", { json: true }, {}, true, false],
  ["NO_COLOR does not matter", {}, { NO_COLOR: "1" }, true, true],
])("bad input 143: mayRedraw(): %s", (_, changes, env, isTerminal, expected) => {
  expect(mayRedraw({ ...look, ...changes }, env, isTerminal)).toBe(expected);
});
