import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { formatJoinLine, parseJoinLine } from "../../src/modes/cli/join-line.ts";
import type { Finished } from "../support/binary.ts";
import { writeSelfSigned } from "../support/certificate.ts";
import { Community, Person } from "../support/community.ts";
import { ConnectProxy, type ConnectProxyOptions } from "../support/connect-proxy.ts";
import { randomFile, sha256Of } from "../support/files.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";

// The server has a name that no resolver knows: only the proxy leads there.
const HOST = "meeting.test";
const MIB = 2 ** 20;
let folder: TemporaryFolder;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder[Symbol.dispose]());

async function found(tls: boolean): Promise<Community> {
  if (!tls) return Community.found();
  const files = { cert: folder.at("chain.pem"), key: folder.at("key.pem") };
  writeSelfSigned(files);
  return Community.found({ flags: ["--tls-cert", files.cert, "--tls-key", files.key] });
}

/** Where the proxy leads for the server's port, as its join line has it. */
const placeOf = ({ http }: Community): string => `${HOST}:${http.split(":").at(-1)}`;

function personBehind(env: Record<string, string>, { joinLine, http }: Community, name: string, host = HOST): Person {
  const line = parseJoinLine(joinLine);
  const there = formatJoinLine({ ...line, nodes: [{ host, port: Number(http.split(":").at(-1)) }] });
  mkdirSync(folder.at(name), { recursive: true });
  const person = new Person(name, folder.at(name), there, { env });
  writeFileSync(person.passwordFile, `correct horse ${name}\n`, { mode: 0o600 });
  return person;
}

const register = (person: Person): Promise<Finished> =>
  person.run("register", person.name, "--password-file", person.passwordFile);

test.each([
  ["ws", "HTTP_PROXY"],
  ["ws", "HTTPS_PROXY"],
  ["wss", "https_proxy"],
  ["wss", "ALL_PROXY"],
] as const)(
  "over %s everything goes through the proxy of %s: channel, messages, relay legs",
  async (scheme, variable) => {
    await using proxy = await ConnectProxy.open();
    await using town = await found(scheme === "wss");
    const [ana, ben] = ["ana", "ben"].map((name) => personBehind({ [variable]: proxy.url }, town, name));
    if (ana === undefined || ben === undefined) throw new Error("nobody");
    for (const person of [ana, ben]) expect(await register(person)).toMatchObject({ exitCode: 0 });
    const file = join(folder.path, "file.bin");
    const hash = await randomFile(file, MIB);
    await using receiver = await ben.receiving("--yes", "--once");
    const before = proxy.asked.length;
    expect((await ana.run("send", file, "@ben", "--relay-only")).exitCode).toBe(0);
    expect((await receiver.finished()).exitCode).toBe(0);
    expect(await sha256Of(join(ben.inbox, "file.bin"))).toBe(hash);
    expect(proxy.asked.length).toBeGreaterThanOrEqual(before + 3); // Ana's channel, and a leg of each
    expect(new Set(proxy.asked)).toEqual(new Set([placeOf(town)]));
    expect(proxy.other).toEqual([]);
  },
);

async function refusal(options: ConnectProxyOptions, credentials = ""): Promise<Finished> {
  await using proxy = await ConnectProxy.open(options);
  await using town = await found(false);
  const url = proxy.url.replace("//", `//${credentials}`);
  const finished = await register(personBehind({ HTTPS_PROXY: url }, town, "ana"));
  expect(finished.exitCode).toBe(10);
  expect(finished.events.at(-1)).toMatchObject({ code: "server-unreachable", side: "local", fatal: true });
  return finished;
}

test("a proxy that wants a password says so, takes the right one, and it is shown nowhere", async () => {
  const said = ({ events }: Finished) => JSON.stringify(events.at(-1));
  expect(said(await refusal({ credentials: "ana:planted-7" }))).toMatch(/wants a name and a password \(407\)/);
  const wrong = await refusal({ credentials: "ana:planted-7" }, "ana:planted-8@");
  expect(said(wrong)).toMatch(/does not take the name and password \(407\)/);
  for (const text of [wrong.stdout, wrong.stderr]) expect(text).not.toMatch(/planted|YW5h/);

  await using proxy = await ConnectProxy.open({ credentials: "ana:planted@7" });
  await using town = await found(false);
  const ana = personBehind({ HTTP_PROXY: proxy.url.replace("//", "//ana:planted%407@") }, town, "ben");
  const registered = await register(ana);
  const pinged = await ana.run("users", "--verbose");
  expect([registered.exitCode, pinged.exitCode]).toEqual([0, 0]);
  for (const { stdout, stderr } of [registered, pinged]) expect(stdout + stderr).not.toMatch(/planted|YW5h/);
});

test("a proxy that refuses, or does not get through, is told from a server that is not there", async () => {
  const said = async (options: ConnectProxyOptions) => JSON.stringify((await refusal(options)).events.at(-1));
  expect(await said({ status: 403 })).toMatch(/the proxy at 127\.0\.0\.1:\d+ refuses to connect to it \(403\).*443/);
  expect(await said({ status: 502 })).toMatch(/the proxy at 127\.0\.0\.1:\d+ does not get through to it \(502\)/);
});

test("a proxy that is not there, or of another kind, is named without its password", async () => {
  await using town = await found(false);
  const away = await register(personBehind({ HTTPS_PROXY: "http://ana:planted@127.0.0.1:1" }, town, "ana"));
  expect(away.events.at(-1)).toMatchObject({ code: "server-unreachable", side: "local", exit: 10 });
  expect(away.stdout).toContain("the proxy at 127.0.0.1:1 cannot be reached");
  const socks = await register(personBehind({ ALL_PROXY: "socks5://ana:planted@127.0.0.1:1" }, town, "ben"));
  expect(socks.events.at(-1)).toMatchObject({ code: "config", exit: 2 });
  for (const { stdout, stderr } of [away, socks]) expect(stdout + stderr).not.toContain("planted");
});

test("what NO_PROXY names, and this machine, is reached without the proxy", async () => {
  await using proxy = await ConnectProxy.open({ status: 403 });
  await using town = await found(false);
  const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
  expect((await register(personBehind(env, town, "ana", "127.0.0.1"))).exitCode).toBe(0);
  expect(proxy.asked).toEqual([]);
  const there = await register(personBehind({ ...env, NO_PROXY: "other.test,.test" }, town, "ben"));
  expect(there.events.at(-1)).toMatchObject({ code: "server-unreachable", side: "server" }); // nobody knows the name
  expect(proxy.asked).toEqual([]);
});

test("without a key in the line the key is asked for through the proxy too", async () => {
  await using proxy = await ConnectProxy.open({ status: 407 });
  const ana = new Person("ana", folder.path, `p2ps://${HOST}`, { env: { HTTPS_PROXY: proxy.url } });
  writeFileSync(ana.passwordFile, "correct horse ana\n", { mode: 0o600 });
  const { exitCode, stdout } = await ana.run(
    "register",
    "ana",
    "--password-file",
    ana.passwordFile,
    "--trust-first-use",
  );
  expect(exitCode).toBe(10);
  expect(stdout).toContain("wants a name and a password (407)");
  expect(proxy.asked).toEqual([`${HOST}:443`]);
});

const ownIp = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

test.skipIf(Bun.which("tinyproxy") === null || ownIp === undefined)(
  "tinyproxy lets two people through who have its password, and nobody else",
  async () => {
    const port = await freePort();
    writeFileSync(folder.at("conf"), `Port ${port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth ana planted7\n`);
    await using tinyproxy = Bun.spawn(["tinyproxy", "-d", "-c", folder.at("conf")], { stdout: "ignore" });
    await answering(port);
    const host = ownIp ?? "";
    await using town = await Community.found({ listen: "0.0.0.0:0", flags: ["--advertise", host] });
    const env = (password: string) => ({ HTTP_PROXY: `http://ana:${password}@127.0.0.1:${port}` });
    const stranger = await register(personBehind(env("wrong"), town, "eve", host));
    expect(stranger.events.at(-1)).toMatchObject({
      side: "local",
      message: expect.stringContaining("does not take the name and password"),
    });
    const [ana, ben] = ["ana", "ben"].map((name) => personBehind(env("planted7"), town, name, host));
    if (ana === undefined || ben === undefined) throw new Error("nobody");
    for (const person of [ana, ben]) expect(await register(person)).toMatchObject({ exitCode: 0 });
    const file = join(folder.path, "file.bin");
    const hash = await randomFile(file, MIB);
    await using receiver = await ben.receiving("--yes", "--once");
    expect((await ana.run("send", file, "@ben", "--relay-only")).exitCode).toBe(0);
    expect((await receiver.finished()).exitCode).toBe(0);
    expect(await sha256Of(join(ben.inbox, "file.bin"))).toBe(hash);
    expect(tinyproxy.exitCode).toBeNull();
  },
);

async function freePort(): Promise<number> {
  await using proxy = await ConnectProxy.open();
  return proxy.port;
}

async function answering(port: number): Promise<void> {
  const socket = { data() {}, error() {} };
  for (;;) {
    const connection = await Bun.connect({ hostname: "127.0.0.1", port, socket }).catch(() => null);
    if (connection !== null) return void connection.end();
    await Bun.sleep(20);
  }
}
