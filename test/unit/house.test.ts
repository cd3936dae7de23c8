import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { rings } from "../support/rings.ts";
import { root } from "../support/sources.ts";

/** What git keeps; in a copy without git, everything that is not fetched or made. */
const kept = (gitFiles() ?? [...new Bun.Glob("**/*").scanSync({ cwd: root, dot: true })])
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => !/^(\.git|\.tools|node_modules|dist)\//.test(path) && existsSync(join(root, path)));

function gitFiles(): string[] | null {
  const listed = Bun.spawnSync(["git", "ls-files", "-z"], { cwd: root, stderr: "ignore" });
  return listed.success ? listed.stdout.toString().split("\0").filter(Boolean) : null;
}

const folders = rings.flatMap((ring) => ring.folders);

// Put together, so that this file does not find itself.
const unfinished = new RegExp(String.raw`\b(TO${""}DO|FIX${""}ME|X${""}XX|not imple${""}mented)\b`);
const switchedOff = new RegExp(String.raw`\b(test|it|describe)\.(on${""}ly|to${""}do|sk${""}ip|fail${""}ing)\(`);

function filesWith(pattern: RegExp, where: RegExp): string[] {
  return kept.filter((path) => where.test(path) && pattern.test(readFileSync(join(root, path), "utf8")));
}

test("nothing is left for later in a mark", () => {
  expect(filesWith(unfinished, /^(src|test|scripts|packaging)\//)).toEqual([]);
});

test("no test is switched off, or switches the others off", () => {
  expect(filesWith(switchedOff, /^test\/.*\.ts$/)).toEqual([]);
});

test("every test belongs to a ring of the gate", () => {
  const strays = kept.filter(
    (path) => path.endsWith(".test.ts") && !folders.some((folder) => path.startsWith(`${folder}/`)),
  );
  expect(strays).toEqual([]);
});

test("bun.lock names no registry", () => {
  expect(readFileSync(join(root, "bun.lock"), "utf8")).not.toContain("http");
});

test("no file speaks of the folder this repository happens to lie in", () => {
  const here = new RegExp(`${RegExp.escape(root)}(?=[/"'\`\\s]|$)`);
  const told = [/\/work\/(main|shared)\b/, ...(root.split("/").length > 2 ? [here] : [])];
  expect(told.flatMap((path) => filesWith(path, /^(?!test\/unit\/house\.test\.ts$)/))).toEqual([]);
});

test.skipIf(process.platform === "win32")("what people start can be started", () => {
  for (const path of [".ci/run", "scripts/compile.sh", "scripts/with-bun.sh"]) {
    expect(statSync(join(root, path)).mode & 0o111, path).not.toBe(0);
    expect(readFileSync(join(root, path), "utf8"), path).toStartWith("#!/bin/sh\n");
  }
});
