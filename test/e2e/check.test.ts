import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { run, type StartOptions } from "../support/binary.ts";
import { writeSelfSigned } from "../support/certificate.ts";
import { startServer } from "../support/community.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";

let folder: TemporaryFolder;
let data: string;
beforeEach(() => {
  folder = temporaryFolder();
  data = folder.at("data");
});
afterEach(() => folder[Symbol.dispose]());

interface Checked {
  readonly exitCode: number;
  readonly wrong: readonly string[];
  readonly warnings: readonly string[];
}

/** The tests may run as root, and that is for another one to tell. */
async function check(...flags: readonly string[]): Promise<Checked> {
  const { exitCode, events } = await run([
    "server",
    "--check",
    "--json",
    "--data",
    data,
    "--listen",
    "127.0.0.1:0",
    ...flags,
  ]);
  const findings = events
    .filter((event) => event.event === "finding")
    .filter(({ message }) => !message.includes("as root"));
  const told = (level: string) => findings.filter((each) => each.level === level).map(({ message }) => message);
  const last = events.at(-1);
  expect(last?.event === "error" && last.fatal).toBe(exitCode !== 0);
  return { exitCode, wrong: told("wrong"), warnings: told("warning") };
}

async function onceServed(): Promise<void> {
  await using server = startServer(data);
  await server.waitFor("ready");
  server.signal("SIGTERM");
  await server.finished();
}

const sound: Checked = { exitCode: 0, wrong: [], warnings: [] };

test("--check makes nothing: no folder, and nothing in one that is empty", async () => {
  expect(await check()).toEqual(sound);
  expect(existsSync(data)).toBe(false);
  mkdirSync(data, { mode: 0o700 });
  expect(await check()).toEqual(sound);
  expect(readdirSync(data)).toEqual([]);
});

test("--check changes nothing where a server was, and finds nothing there", async () => {
  await onceServed();
  const contents = () => readdirSync(data).map((name) => [name, readFileSync(`${data}/${name}`, "latin1")]);
  const before = contents();
  expect(await check()).toEqual(sound);
  expect(contents()).toEqual(before);
});

test("--check looks beside a running server too, and does not mind that it has the port", async () => {
  await using server = startServer(data);
  const { http } = await server.waitFor("ready");
  expect(await check("--listen", http)).toMatchObject(sound);
  expect(await (await fetch(`http://${http}/healthz`)).text()).toBe("ok\n");
});

test("--check finds damaged accounts, an open key and a lost one, all at once", async () => {
  await onceServed();
  writeFileSync(`${data}/accounts.db`, "no database, but long enough to look like one".repeat(100));
  chmodSync(`${data}/signing.key`, 0o644);
  rmSync(`${data}/server.key`);
  const { exitCode, wrong } = await check();
  expect([exitCode, wrong.length]).toEqual([2, 3]);
  expect(wrong.join("\n")).toMatch(/signing\.key: others may read it[^]*server\.key is missing[^]*accounts\.db/);
});

test("--check finds a port that is taken, and an address of another machine", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { exitCode, wrong } = await check("--listen", `127.0.0.1:${port}`, "--listen", "192.0.2.77:0");
  expect([exitCode, wrong.length]).toEqual([2, 2]);
  expect(wrong[0]).toContain(`127.0.0.1:${port}: another program does`);
  taken.close();
});

test("--check weighs what is allowed and unwise, and ends with 0", async () => {
  mkdirSync(data, { mode: 0o755 });
  writeFileSync(`${data}/server.toml`, 'open-registration = true\nlog-level = "debug"\nadvertise = "10.0.0.5"\n');
  chmodSync(`${data}/server.toml`, 0o666);
  const { exitCode, wrong, warnings } = await check("--metrics", "0.0.0.0:9464");
  expect([exitCode, wrong]).toEqual([0, []]);
  for (const said of [
    /register and send data/,
    /names and addresses/,
    /10\.0\.0\.5/,
    /without a password/,
    /others may look into/,
    /others may change/,
  ])
    expect(warnings.filter((warning) => said.test(warning)).length).toBe(1);
});

test("--check reads the certificate: wrong when it cannot be used, a warning when people would refuse it", async () => {
  const files = { cert: folder.at("chain.pem"), key: folder.at("key.pem") };
  const flags = ["--tls-cert", files.cert, "--tls-key", files.key];
  expect((await check(...flags)).wrong.length).toBe(1);
  writeSelfSigned(files);
  expect(await check(...flags)).toEqual(sound);
  const warned = await check(...flags, "--advertise", "p2p.example.org");
  expect(warned).toEqual({ ...sound, warnings: ["the certificate is not for p2p.example.org"] });
  chmodSync(files.key, 0o604);
  expect(await check(...flags)).toMatchObject({ exitCode: 2, wrong: [expect.stringContaining("others may read it")] });
});

test("for a person --check prints a line for each finding, and what to do", async () => {
  const options: StartOptions = { env: { P2P_OPEN_REGISTRATION: "1" } };
  const { stdout, stderr } = await run(["server", "--check", "--data", data, "--listen", "127.0.0.1:0"], options);
  expect(stdout).toMatch(/^warning: anyone may register and send data through this server, up to .*; leave out .*$/m);
  expect(stderr).toBe("nothing is wrong\n");
});
