import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { takeLock, withFileLock } from "../../../../src/modes/runtime/file-lock.ts";
import { temporaryFolder } from "../../../support/folder.ts";

/** Never a process: above every system's highest id. */
const NOBODY = 2 ** 30;

test("withFileLock() holds FILE.lock, 0600, while it works, and gives its result", async () => {
  using folder = temporaryFolder();
  const lock = folder.at("data.lock");
  const mode = await withFileLock(folder.at("data"), () => statSync(lock).mode & 0o777);
  expect([mode, existsSync(lock)]).toEqual([0o600, false]);
});

test("withFileLock() lets go when the work throws", async () => {
  using folder = temporaryFolder();
  const failing = withFileLock(folder.at("data"), () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(readdirSync(folder.path)).toEqual([]);
});

test("withFileLock() keeps many writers of several processes from losing each other's change", async () => {
  using folder = temporaryFolder();
  const file = folder.at("count");
  writeFileSync(file, "0");
  const lockModule = new URL("../../../../src/modes/runtime/file-lock.ts", import.meta.url).href;
  const script = `
    import { readFileSync, writeFileSync } from "node:fs";
    import { withFileLock } from ${JSON.stringify(lockModule)};
    for (let i = 0; i < 25; i++) await withFileLock(${JSON.stringify(file)}, () =>
      writeFileSync(${JSON.stringify(file)}, String(Number(readFileSync(${JSON.stringify(file)}, "utf8")) + 1)));`;
  const writers = Array.from({ length: 3 }, () => Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" }));
  expect(await Promise.all(writers.map((writer) => writer.exited))).toEqual([0, 0, 0]);
  expect(readFileSync(file, "utf8")).toBe("75");
});

describe("bad input 173:", () => {
  test("who was killed between making a lock and filling it stops nobody who comes next", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("data.lock"), "");
    expect(await withFileLock(folder.at("data"), () => "done")).toBe("done");
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("a second holder is refused while the first lives", () => {
    using folder = temporaryFolder();
    const first = takeLock(folder.at("lock"));
    expect(first).not.toBeNull();
    expect(takeLock(folder.at("lock"))).toBeNull();
    first?.release();
    expect(takeLock(folder.at("lock"))).not.toBeNull();
  });

  test("a lock of a dead process is taken over", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("lock"), JSON.stringify({ pid: NOBODY, startTicks: 1 }));
    expect(takeLock(folder.at("lock"))).not.toBeNull();
    expect(readdirSync(folder.path)).toEqual(["lock"]);
  });

  test.if(process.platform === "linux")("a lock whose process id went to another process is taken over", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("lock"), JSON.stringify({ pid: process.pid, startTicks: 1 }));
    expect(takeLock(folder.at("lock"))).not.toBeNull();
  });

  test.each(["", "{", '{"pid":"x"}', '{"pid":-1}', "[]"])("an unreadable lock %j is held until it is old", (text) => {
    using folder = temporaryFolder();
    const lock = folder.at("lock");
    writeFileSync(lock, text);
    expect(takeLock(lock, 10_000)).toBeNull();
    const longAgo = Date.now() / 1_000 - 60;
    utimesSync(lock, longAgo, longAgo);
    expect(takeLock(lock, null)).toBeNull();
    expect(takeLock(lock, 10_000)).not.toBeNull();
  });

  test("a short lock is taken over when it is old, even from a living process", () => {
    using folder = temporaryFolder();
    const lock = folder.at("lock");
    takeLock(lock);
    const longAgo = Date.now() / 1_000 - 60;
    utimesSync(lock, longAgo, longAgo);
    expect(takeLock(lock)).toBeNull();
    expect(takeLock(lock, 10_000)).not.toBeNull();
  });
});

test("takeLock() says so when the folder is not there", () => {
  using folder = temporaryFolder();
  expect(() => takeLock(folder.at("none/lock"))).toThrow(expect.objectContaining({ code: "config" }));
});
