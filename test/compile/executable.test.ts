import { expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../package.json";
import { binary, run } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";
import { root } from "../support/sources.ts";

/** A module that leaves a file behind when anybody runs it. */
function layTrap(folder: TemporaryFolder): { readonly module: string; readonly sprung: () => boolean } {
  const mark = folder.at("sprung");
  const module = folder.at("trap.ts");
  writeFileSync(module, `require("node:fs").writeFileSync(${JSON.stringify(mark)}, "");`);
  return { module, sprung: () => existsSync(mark) };
}

test("p2p version tells the version, the commit, the protocol and the target", async () => {
  const { exitCode, stdout, events } = await run(["version", "--json"]);
  expect({ exitCode, lines: stdout.trimEnd().split("\n").length }).toEqual({ exitCode: 0, lines: 1 });
  expect(events[0]).toMatchObject({ event: "version", version, protocol: 1 });
  expect(events[0]).toHaveProperty("commit", expect.stringMatching(/^([0-9a-f]{12}(-dirty)?|unknown)$/));
  expect(events[0]).toHaveProperty("target", expect.stringMatching(/^(linux|macos|windows)-(x64|arm64)$/));
});

test("a bunfig.toml in the current folder has no say", async () => {
  using folder = temporaryFolder();
  const { module, sprung } = layTrap(folder);
  writeFileSync(folder.at("bunfig.toml"), `preload = [${JSON.stringify(module)}]\n`);
  expect((await run(["version"], { cwd: folder.path })).exitCode).toBe(0);
  expect(sprung()).toBe(false);
  // Bun itself walks into the trap, so it is one.
  await run(["-e", "0"], { cwd: folder.path, executable: process.execPath });
  expect(sprung()).toBe(true);
});

test("an .env in the current folder has no say", async () => {
  using folder = temporaryFolder();
  const args = ["whoami", "--json", "--home", folder.at("home")];
  writeFileSync(folder.at(".env"), "P2P_WAIT=nonsense\n");
  expect((await run(args, { cwd: folder.path })).stdout).not.toContain("P2P_WAIT");
  expect((await run(args, { env: { P2P_WAIT: "nonsense" } })).stdout).toContain("P2P_WAIT");
});

test("BUN_OPTIONS cannot bring a module in", async () => {
  using folder = temporaryFolder();
  const { module, sprung } = layTrap(folder);
  const { exitCode } = await run(["version"], { env: { BUN_OPTIONS: `--preload ${module}` } });
  expect(exitCode).not.toBe(0);
  expect(sprung()).toBe(false);
});

test("the inspector cannot be opened", async () => {
  const { exitCode, stderr } = await run(["version"], { env: { BUN_INSPECT: "ws://127.0.0.1:0" } });
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain("BUN_INSPECT");
});

test("the executable does not tell where it was made", () => {
  const bytes = readFileSync(binary);
  expect(bytes.includes("disallow-code-generation")).toBe(true); // what is in it can be found
  expect(bytes.includes(join(root, "src"))).toBe(false);
  expect(bytes.includes(join(root, "node_modules"))).toBe(false);
});
