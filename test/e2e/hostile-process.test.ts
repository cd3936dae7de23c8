import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Seeded } from "../sim/seeded.ts";
import { isRelayed } from "../../src/modes/peer/session-path.ts";
import { binary, environment, start } from "../support/binary.ts";
import { Community, type Person, startServer } from "../support/community.ts";
import { Gun } from "../support/raw-datagrams.ts";
import { footprintOf, udpSocketsOf } from "../support/raw-proc.ts";
import { RawPeer } from "../support/raw-peer.ts";

const PASSWORD_OF_DORA = "planted-password-9f3c";
let town: Community;
let ana: Person;
let ben: Person;

beforeAll(async () => {
  town = await Community.found({ flags: ["--log-level", "debug"] });
  [ana, ben] = [await town.register("ana"), await town.register("ben")];
});
afterAll(() => town[Symbol.asyncDispose]());

/** @returns the path and the hash */
function randomFile(name: string, bytes: number): { path: string; hash: string } {
  const path = join(town.folder, name);
  const content = randomBytes(bytes);
  writeFileSync(path, content);
  return { path, hash: createHash("sha256").update(content).digest("hex") };
}

const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
  "bad input 144: %s in a transfer ends the receiver at once, with nothing published, and the sender hears of it",
  async (signal) => {
    const { path } = randomFile(`big-${signal}`, 64 * 1_024 * 1_024);
    await using receiver = await ben.receiving();
    await using sender = ana.start("send", path, "@ben");
    await receiver.waitFor("progress");
    receiver.signal(signal);
    const status = { SIGTERM: 143, SIGINT: 130, SIGHUP: 143 }[signal];
    expect((await receiver.finished()).exitCode).toBe(status);
    const { exitCode, events } = await sender.finished();
    expect([exitCode, events.at(-1)?.event]).toEqual([5, "error"]);
    expect(existsSync(join(ben.inbox, `big-${signal}`))).toBe(false);
  },
);

test("bad input 144: a reader of stdout that goes away ends the program as Ctrl-C does, without a word", async () => {
  const line = [binary, "receive", "--yes", "--json", "--home", ben.home, "--out", ben.inbox];
  const script = '{ "$@"; echo "status $?" >&2; } | head -n 1'; // which reads `waiting`, and no more
  await using piped = Bun.spawn(["sh", "-c", script, "sh", ...line], {
    env: environment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  await piped.stdout.getReader().read();
  await using asking = ana.start("msg", "ben", "to nobody");
  expect(await piped.exited).toBe(0);
  expect(await new Response(piped.stderr).text()).toBe("status 130\n");
  expect(asking.events.some(({ event }) => event === "delivered")).toBe(false);
});

test("bad input 161: a receiver killed at any point leaves the file whole, or none", async () => {
  const { path, hash } = randomFile("killed.bin", 24 * 1_024 * 1_024);
  const numbers = new Seeded(161);
  for (let round = 0; round < 6; round++) {
    await using receiver = await ben.receiving();
    await using sender = ana.start("send", path, "@ben");
    await receiver.waitFor("accepted").catch((error: unknown) => {
      throw new Error(`the sender says ${sender.stdout}${sender.stderr}`, { cause: error });
    });
    await Bun.sleep(numbers.between(0, 250));
    receiver.signal("SIGKILL");
    await receiver.exited;
    sender.signal("SIGKILL");
    const published = readdirSync(ben.inbox).filter((name) => /^killed.*\.bin$/.test(name));
    for (const name of published) expect(hashOf(join(ben.inbox, name))).toBe(hash);
  }
  await using receiver = await ben.receiving("--yes", "--once");
  expect((await ana.run("send", path, "@ben")).exitCode).toBe(0);
  expect(hashOf((await receiver.waitFor("saved")).path)).toBe(hash);
});

test("bad inputs 118 and 123: a program that starts again knows nothing of the sessions before", async () => {
  await using carl = await RawPeer.register(town, "carl");
  const before = await ben.receiving();
  const session = await carl.node.ask("ben", { purpose: "chat", waitMs: 20_000 });
  while (isRelayed(session.path)) await Bun.sleep(20);
  for (let count = 0; count < 10; count++) await session.ping();
  before.signal("SIGKILL");
  await before.exited;

  await using after = await ben.receiving();
  const recorded = carl.sent.map(({ bytes }) => bytes);
  expect(recorded.length).toBeGreaterThan(10);
  for (const { family, port } of udpSocketsOf(after.pid)) {
    const ip = family === 4 ? "127.0.0.1" : "::1";
    using gun = await Gun.load(ip);
    await gun.fire(recorded[Symbol.iterator](), recorded.length, { ip, port });
    expect(gun.heard).toEqual([]);
  }
  expect((await ana.run("msg", "ben", "welcome back")).exitCode).toBe(0);
  const { session: fresh } = await after.waitFor("message");
  expect(fresh).not.toBe(session.id);
  expect(after.events.filter((event) => "session" in event && event.session === session.id)).toEqual([]);
});

test("bad input 172: a file of pins that breaks while somebody rings is kept aside, and it is 8", async () => {
  const dan = await town.register("dan");
  expect((await dan.run("contacts")).exitCode).toBe(0);
  await using receiver = await dan.receiving();
  expect((await ana.run("msg", "dan", "we have met")).exitCode).toBe(0);
  const file = join(dan.home, "people.json");
  writeFileSync(file, readFileSync(file).subarray(0, 40));
  await ana.run("msg", "dan", "who am I?", "--wait", "2");
  const { exitCode, events } = await receiver.finished();
  expect(events.at(-1)).toMatchObject({ event: "error", code: "unverified", fatal: true });
  expect(exitCode).toBe(8);
  expect(existsSync(`${file}.bad`)).toBe(true);
  expect(receiver.events.filter(({ event }) => event === "message")).toHaveLength(1);
});

test.each(["000", "777"])("bad input 177: under umask %s what is private is 0600", async (umask) => {
  const person = await town.newcomer(`umask${umask}`);
  const line = [binary, "register", person.name, "--json", "--home", person.home, "--server", town.joinLine];
  const run = Bun.spawnSync(
    ["sh", "-c", `umask ${umask} && exec "$@"`, "sh", ...line, "--password-file", person.passwordFile],
    { env: environment() },
  );
  expect(run.exitCode).toBe(0);
  expect(statSync(person.home).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(person.home))
    expect([name, statSync(join(person.home, name)).mode & 0o777]).toEqual([name, 0o600]);
});

test("bad input 177: without HOME, TERM and a locale, and with stdin closed, it works or says what is missing", async () => {
  const bare = { PATH: process.env["PATH"] ?? "", LC_ALL: "C" };
  const run = (command: string) => Bun.spawnSync(["sh", "-c", `${command} <&-`], { env: bare });
  const whoami = run(`${binary} whoami --json --home ${ana.home}`);
  expect([whoami.exitCode, whoami.stderr.toString()]).toEqual([0, ""]);
  const homeless = run(`${binary} whoami --json`);
  expect([2, 3]).toContain(homeless.exitCode);
  expect(JSON.parse(homeless.stdout.toString())).toMatchObject({ event: "error", fatal: true });
});

test("bad input 178: a whole session at log level debug tells no password, text, name of a file, or address of a peer", async () => {
  const dora = await town.newcomer("dora");
  writeFileSync(dora.passwordFile, `${PASSWORD_OF_DORA}\n`, { mode: 0o600 });
  expect((await dora.run("register", "dora", "--password-file", dora.passwordFile)).exitCode).toBe(0);
  const { path } = randomFile("planted-file-77ab.bin", 300_000);
  await using receiver = await ben.receiving("--yes", "--verbose");
  const sent = [
    await dora.run("msg", "ben", "planted-text-51d0", "--verbose"),
    await dora.run("send", path, "@ben", "--verbose"),
  ];
  expect(sent.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  const account = JSON.parse(readFileSync(join(dora.home, "account.json"), "utf8")) as Record<string, unknown>;
  const secrets = ["planted-", PASSWORD_OF_DORA, String(account["userId"]), String(account["deviceId"])];
  const ports = udpSocketsOf(receiver.pid).map(({ port }) => `:${port}`);
  const logs = [town.server.stderr, receiver.stderr, ...sent.map(({ stderr }) => stderr)];
  for (const secret of secrets) for (const log of logs) expect(log).not.toContain(secret);
  for (const port of ports) expect(town.server.stderr).not.toContain(port);
  expect(town.server.stderr).toContain("session-ended");
});

test("bad input 180: a server with 64 open files turns people away, and serves on when they leave", async () => {
  const data = join(town.folder, "narrow");
  mkdirSync(data);
  await using server = startServer(join(data, "server"), { inside: ["prlimit", "--nofile=64:64"] });
  const { http, join: joinLine } = await server.waitFor("ready");
  const crowd = await Promise.all(Array.from({ length: 80 }, () => connection(http)));
  for (const each of crowd) each?.end();
  const person = join(data, "home");
  await using register = start(
    ["register", "eve", "--json", "--home", person, "--server", joinLine, "--password-file", ana.passwordFile],
    { env: {} },
  );
  expect((await register.finished()).exitCode).toBe(0);
  expect(footprintOf(server.pid).openFiles).toBeLessThanOrEqual(64);
});

/** Null where it was refused. */
async function connection(address: string): Promise<Bun.Socket | null> {
  const [hostname = "", port = ""] = address.split(":");
  const handlers = { data() {}, error() {} };
  return Bun.connect({ hostname, port: Number(port), socket: handlers }).catch(() => null);
}
