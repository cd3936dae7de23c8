import { expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

const tools = ["sh", "cat", "cmp", "cp", "dirname", "ln", "mkdir", "mv", "rm", "rmdir", "sleep", "true", "uname"];

/** A checkout without packages, on a machine that has the usual programs but neither Bun nor npm. */
function bareMachine(folder: TemporaryFolder): { readonly script: string; readonly bin: string } {
  mkdirSync(folder.at("bin"));
  for (const tool of tools) symlinkSync(Bun.which(tool) ?? "", folder.at("bin", tool));
  for (const file of ["scripts/with-bun.sh", "bun.lock"]) cpSync(join(root, file), folder.at("checkout", file));
  return { script: folder.at("checkout/scripts/with-bun.sh"), bin: folder.at("bin") };
}

/** A program that says it is that version of Bun, and keeps a list of the installations asked of it. */
function bunOfVersion(version: string, bin: string, log: string): void {
  const install = `mkdir -p node_modules && echo installed >>'${log}' && sleep 0.2`;
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, "bun"), `#!/bin/sh\ncase $1 in --version) echo ${version} ;; install) ${install} ;; esac\n`);
  chmodSync(join(bin, "bun"), 0o755);
}

function start(script: string, bin: string, ...command: string[]) {
  const env = { PATH: bin, BUN_INSTALL: join(bin, "../elsewhere") };
  return Bun.spawn(["sh", script, ...command], { cwd: "/", env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
}

test("with-bun passes over a Bun that is too old, and runs the command in the root with a good one first on PATH", async () => {
  using folder = temporaryFolder();
  const { script, bin } = bareMachine(folder);
  bunOfVersion("1.3.14", bin, folder.at("log"));
  bunOfVersion("1.4.5", folder.at("elsewhere/bin"), folder.at("log"));
  const child = start(script, bin, "sh", "-c", "pwd; command -v bun");
  expect(await child.stdout.text()).toBe(`${folder.at("checkout")}\n${folder.at("elsewhere/bin/bun")}\n`);
  expect(await child.exited).toBe(0);
});

test("with-bun says what is missing where there is neither Bun nor npm", async () => {
  using folder = temporaryFolder();
  const { script, bin } = bareMachine(folder);
  const child = start(script, bin, "true");
  expect(await child.stderr.text()).toMatch(/error: cannot fetch Bun: .* neither Bun .* nor npm\n.*hint: install Node/);
  expect(await child.exited).toBe(1);
});

test("with-bun installs the packages once, though three start together and a dead one has left its lock", async () => {
  using folder = temporaryFolder();
  const { script, bin } = bareMachine(folder);
  bunOfVersion("1.4.5", bin, folder.at("log"));
  const dead = Bun.spawn(["true"]);
  await dead.exited;
  mkdirSync(dirname(folder.at("checkout/.tools/lock")));
  writeFileSync(folder.at("checkout/.tools/lock"), `${dead.pid}\n`);
  const statuses = await Promise.all([1, 2, 3].map(() => start(script, bin, "true").exited));
  expect(statuses).toEqual([0, 0, 0]);
  expect(readFileSync(folder.at("log"), "utf8")).toBe("installed\n");
});
