import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { problemWithPassword, readPasswordFile } from "../../../../src/modes/cli/password-file.ts";

const folder = mkdtempSync(path.join(tmpdir(), "p2p-password-"));
const file = path.join(folder, "password");
afterAll(() => rmSync(folder, { recursive: true }));

function fromFile(contents: string | Uint8Array): Promise<string> {
  writeFileSync(file, contents);
  return readPasswordFile(file, Readable.from([]));
}

const good = "correct horse";

test.each([
  ["a line end", `${good}\n`],
  ["a Windows line end", `${good}\r\n`],
  ["no line end", good],
  ["more lines", `${good}\nsecond\n`],
])("readPasswordFile() takes the first line of a file with %s", async (_, contents) => {
  expect(await fromFile(contents)).toBe(good);
});

test("readPasswordFile() takes the first line of stdin, in whatever pieces it comes", async () => {
  const pieces = (...parts: (string | Uint8Array)[]) =>
    readPasswordFile("-", Readable.from(parts, { objectMode: true }));
  expect(await pieces("correct", " horse\nmore")).toBe(good);
  expect(await pieces(new TextEncoder().encode(good))).toBe(good);
  await expect(pieces()).rejects.toMatchObject({ code: "weak-password" });
});

describe("bad input 63: a password of", () => {
  test.each([
    ["nothing", "", "fewer"],
    ["1 character", "a", "fewer"],
    ["9 characters that take 18 units", "🙂".repeat(9), "fewer"],
    ["257 characters", "a".repeat(257), "more"],
    ["a lone surrogate", `${good}\ud800`, "half of a character"],
  ])("%s is refused", (_, password, why) => {
    expect(problemWithPassword(password)).toContain(why);
  });

  test.each([
    ["10 characters", "a".repeat(10)],
    ["256 characters", "🙂".repeat(256)],
    ["spaces alone", " ".repeat(10)],
    ["NUL among others", `${good}\0`],
  ])("%s has a good length", (_, password) => {
    expect(problemWithPassword(password)).toBeNull();
  });

  test("1 MB in one line is refused without keeping it all", async () => {
    await expect(fromFile("a".repeat(1_000_000))).rejects.toMatchObject({ code: "weak-password" });
  });
});

test("bad input 64: the decomposed spelling is the same password", async () => {
  expect(await fromFile("e\u0301te\u0301 en mai\n")).toBe("\u00e9t\u00e9 en mai");
});

test("a local file problem has its own codes", async () => {
  const missing = readPasswordFile(path.join(folder, "none"), Readable.from([]));
  await expect(missing).rejects.toMatchObject({ code: "file-not-found" });
  await expect(readPasswordFile(folder, Readable.from([]))).rejects.toMatchObject({ code: "file-unreadable" });
  await expect(fromFile(new Uint8Array(20).fill(0xff))).rejects.toMatchObject({ code: "file-unreadable" });
});
