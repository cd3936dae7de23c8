import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { version } from "../../package.json";
import { temporaryFolder } from "../support/folder.ts";

const main = Bun.fileURLToPath(new URL("../../src/main.ts", import.meta.url));

interface Ending {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** p2p from source, without a terminal. */
async function p2p(args: readonly string[], env: Record<string, string> = {}): Promise<Ending> {
  const child = Bun.spawn([process.execPath, main, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env["PATH"], ...env },
  });
  const [stdout, stderr, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { status, stdout, stderr };
}

test("p2p version says version, commit, protocol and target", async () => {
  const { status, stdout, stderr } = await p2p(["version", "--json"]);
  expect(JSON.parse(stdout)).toEqual({
    v: 1,
    event: "version",
    version,
    commit: "source",
    protocol: 1,
    target: `${process.platform}-${process.arch}`,
  });
  expect([status, stderr]).toEqual([0, ""]);
});

test("p2p help needs no home, no terminal and no language", async () => {
  const { status, stdout, stderr } = await p2p(["help"], { LC_ALL: "C" });
  expect(stdout).toStartWith("p2p: chat and files straight from one computer to another");
  expect([status, stderr]).toEqual([0, ""]);
});

describe("an error before anything is started", () => {
  test("is two lines on stderr and a status", async () => {
    const { status, stdout, stderr } = await p2p(["sned"]);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: "",
      stderr: 'p2p: error: there is no "p2p sned"\np2p: hint: did you mean: p2p send\n',
    });
  });

  test("is one fatal event with --json, wherever that stands", async () => {
    const { status, stdout, stderr } = await p2p(["--bogus", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      event: "error",
      code: "usage",
      side: "local",
      exit: 2,
      fatal: true,
    });
    expect([status, stderr]).toEqual([2, ""]);
  });

  test("of the settings file names file, line and key", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("config.toml"), "# mine\nwiat = 5\n");
    const { status, stderr } = await p2p(["users"], { P2P_HOME: folder.path });
    expect(stderr).toStartWith(`p2p: error: ${folder.at("config.toml")}:2: wiat: there is no such setting\n`);
    expect(status).toBe(2);
  });

  test("of a server comes from its own file", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.at("server.toml"), 'log-level = "loud"\n');
    const { status, stderr } = await p2p(["server", "--data", folder.path]);
    expect(stderr).toStartWith(`p2p: error: ${folder.at("server.toml")}:1: log-level: `);
    expect(status).toBe(2);
  });

  test("leaves no trace: a missing answer is found before a home is made", async () => {
    using folder = temporaryFolder();
    const { status, stderr } = await p2p(["--home", folder.at("home"), "register", "ana"]);
    expect(stderr).toContain("--password-file");
    expect([status, existsSync(folder.at("home"))]).toEqual([2, false]);
  });
});

test("bad input 177: without HOME the system is asked, and nothing breaks", async () => {
  const { status } = await p2p(["receive"], { LC_ALL: "C", TERM: "" });
  expect(status).toBe(2);
});

test("p2p alone, without a terminal to ask at, is a usage error", async () => {
  const { status, stderr } = await p2p([]);
  expect(stderr).toContain("no terminal");
  expect(status).toBe(2);
});
