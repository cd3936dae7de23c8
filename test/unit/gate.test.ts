import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLimited } from "../support/limited.ts";
import { describe, skippedIn, tallyOf, withoutPasses } from "../support/tally.ts";

const summary = "\n 12 pass\n 2 skip\n 1 todo\n 3 fail\n 99 expect() calls\nRan 18 tests across 2 files. [24.00ms]\n";

test("tallyOf() reads the summary of bun test", () => {
  expect(tallyOf(`a.test.ts:\n 7 pass\nnoise\n${summary}`, 1)).toEqual({ passed: 12, failed: 3, skipped: 3 });
});

test("tallyOf() counts a runner that died before its summary as one failure", () => {
  expect(tallyOf("(pass) one\npanic: out of memory\n", null)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("tallyOf() counts a bad exit status as a failure though every test passed", () => {
  expect(tallyOf("\n 2 pass\n 0 fail\nRan 2 tests across 1 file. [1.00ms]\n", 134).failed).toBe(1);
});

test("skippedIn() names each skipped test once, and withoutPasses() leaves what failed", () => {
  const output =
    "a.test.ts:\n(pass) one [1.00ms]\n(skip) two: no Go\n(fail) three\n\n1 tests skipped:\n(skip) two: no Go\n";
  expect(skippedIn(output)).toEqual(["two: no Go"]);
  expect(withoutPasses(output)).toBe("a.test.ts:\n(fail) three\n\n1 tests skipped:\n");
});

test("describe() tells of skipped tests only where there are some", () => {
  expect(describe({ passed: 3, failed: 0, skipped: 0 })).toBe("3 passed, 0 failed");
  expect(describe({ passed: 3, failed: 1, skipped: 2 })).toBe("3 passed, 1 failed, 2 skipped");
});

test("runLimited() keeps what a command says and its exit status", async () => {
  const outcome = await runLimited(["sh", "-c", "echo out; echo err >&2; cat; exit 3"], 10_000);
  expect(outcome).toEqual({ exitCode: 3, output: "out\nerr\n", timedOut: false });
});

test("runLimited() ends a command at its limit", async () => {
  expect(await runLimited(["sleep", "1000"], 50)).toEqual({ exitCode: null, output: "", timedOut: true });
});

test("runLimited() ends what a command leaves running", async () => {
  const folder = mkdtempSync(join(tmpdir(), "p2p-test-"));
  const pipe = join(folder, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  // Its reader sees the end only when the last process that holds the other end is gone.
  const reader = Bun.spawn(["cat", pipe], { stdin: "ignore", stdout: "pipe" });
  const outcome = await runLimited(["sh", "-c", `exec 3>${pipe}; sleep 1000 & exit 0`], 10_000);
  expect(outcome.exitCode).toBe(0);
  expect(await reader.exited).toBe(0);
  rmSync(folder, { recursive: true });
});
