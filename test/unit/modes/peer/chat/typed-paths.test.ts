import { expect, test } from "bun:test";
import { type PathRules, typedPaths } from "../../../../../src/modes/peer/chat/typed-paths.ts";

function rules(more: Partial<PathRules> = {}): PathRules {
  return { userFolder: "/home/ana", isWindows: false, exists: () => false, ...more };
}

test.each([
  ["a.txt", ["a.txt"]],
  ["  a.txt   b.txt ", ["a.txt", "b.txt"]],
  ["'my file.txt'", ["my file.txt"]],
  [`"my \\"file\\".txt" x`, ['my "file".txt', "x"]],
  ["my\\ file.txt other", ["my file.txt", "other"]],
  ["~/notes.txt ~", ["/home/ana/notes.txt", "/home/ana"]],
  ["~ben/x", ["~ben/x"]],
  ["'never closed", ["never closed"]],
  ["a\\", ["a\\"]],
  ["", []],
  ["   ", []],
])("typedPaths() reads %j as %j", (typed, paths) => {
  expect(typedPaths(typed, rules())).toEqual(paths);
});

test("typedPaths() takes what exists as it stands, blanks or not", () => {
  const exists = (path: string): boolean => path === "/home/ana/my file's.txt";
  expect(typedPaths("~/my file's.txt ", rules({ exists }))).toEqual(["/home/ana/my file's.txt"]);
});

test("typedPaths() leaves backslashes alone where they part folders", () => {
  const typed = `"C:\\My Files\\a.txt" C:\\b.txt`;
  expect(typedPaths(typed, rules({ isWindows: true }))).toEqual(["C:\\My Files\\a.txt", "C:\\b.txt"]);
});
