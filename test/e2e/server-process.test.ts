import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { type Finished, type P2p, run, start } from "../support/binary.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";

let folder: TemporaryFolder;
let data: string;
beforeEach(() => {
  folder = temporaryFolder();
  data = folder.at("data");
});
afterEach(() => folder[Symbol.dispose]());

const serve = (...flags: readonly string[]): P2p =>
  start(["server", "--json", "--data", data, "--listen", "127.0.0.1:0", ...flags]);
/** Proxies of the environment have no say in what stays on this machine. */
const env = { HTTP_PROXY: "http://127.0.0.1:1", http_proxy: "http://127.0.0.1:1" };
const admin = (...words: readonly string[]): Promise<Finished> =>
  run(["server", ...words, "--json", "--data", data], { env });

/** A first start and an orderly end. */
async function once(): Promise<string> {
  await using server = serve();
  const { fingerprint } = await server.waitFor("ready");
  server.signal("SIGTERM");
  await server.finished();
  return fingerprint;
}

function expectMistake({ exitCode, events }: Finished, code: string, hint: RegExp): void {
  expect([exitCode, events.at(-1)]).toMatchObject([2, { event: "error", code, fatal: true }]);
  const last = events.at(-1);
  expect(last?.event === "error" ? last.hint : "").toMatch(hint);
}

test("ready tells where the server is, and the join line admits at the first start only", async () => {
  await using first = serve();
  const ready = await first.waitFor("ready");
  const [udp, next] = ready.udp.map((place) => Number(place.split(":")[1]));
  expect(ready.http).toBe(`127.0.0.1:${udp}`);
  expect(next).toBe((udp ?? 0) + 1);
  expect(ready.join).toMatch(new RegExp(`^p2p://${ready.http}/#${ready.fingerprint}\\.[a-z2-7]{26}$`));
  first.signal("SIGTERM");
  expect((await first.finished()).exitCode).toBe(0);
  await using second = serve();
  const again = await second.waitFor("ready");
  expect(again.fingerprint).toBe(ready.fingerprint);
  expect(again.join).toMatch(/#[a-z2-7]{52}$/);
});

test("for a person stdout is the join line alone, and Ctrl-C ends the server well", async () => {
  await using server = start(["server", "--data", data, "--listen", "127.0.0.1:0", "--advertise", "p2p.example.org"]);
  const line = await server.waitForText(/p2p:\/\/p2p\.example\.org:\d+\/#[a-z2-7]{52}\.[a-z2-7]{26}\n/);
  server.signal("SIGINT");
  const { exitCode, stdout } = await server.finished();
  expect([exitCode, stdout]).toEqual([0, line]);
});

test("nobody else can read what the data folder holds, and a server that ended leaves neither lock nor door", async () => {
  await using server = serve();
  await server.waitFor("ready");
  const modes = () => readdirSync(data).map((name) => [name, statSync(`${data}/${name}`).mode & 0o777] as const);
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(modes().filter(([, mode]) => mode !== 0o600)).toEqual([]);
  expect(modes().map(([name]) => name)).toEqual(
    expect.arrayContaining(["accounts.db", "admin.json", "generation", "server.key", "server.lock", "signing.key"]),
  );
  server.signal("SIGTERM");
  await server.finished();
  expect(existsSync(`${data}/admin.json`) || existsSync(`${data}/server.lock`)).toBe(false);
});

test("bad input 173: a second server leaves the folder alone, and a dead one's lock is taken over", async () => {
  await using first = serve();
  await first.waitFor("ready");
  expectMistake(await serve().finished(), "config", /--data/);
  first.signal("SIGKILL");
  await first.finished();
  expect(existsSync(`${data}/server.lock`)).toBe(true);
  await using second = serve();
  await second.waitFor("ready");
});

test("bad input 170: a key file that is damaged, readable by others, a link or gone stops the start with the fix", async () => {
  await once();
  const key = `${data}/server.key`;
  const kept = readFileSync(key);
  chmodSync(key, 0o644);
  expectMistake(await serve().finished(), "config", /chmod 600/);
  chmodSync(key, 0o600);
  writeFileSync(key, "too short\n");
  expectMistake(await serve().finished(), "config", /backup.*key import/);
  rmSync(key);
  expectMistake(await serve().finished(), "config", /backup.*key import/);
  expect(existsSync(key)).toBe(false);
  writeFileSync(key, kept, { mode: 0o600 });
  await once();
});

test("bad input 192: an exported key comes back by import, and never over another one", async () => {
  const fingerprint = await once();
  const backup = folder.at("backup.key");
  expect((await run(["server", "key", "export", backup, "--data", data])).exitCode).toBe(0);
  expect(statSync(backup).mode & 0o777).toBe(0o600);
  expect((await run(["server", "key", "--data", data])).stdout).toBe(`${fingerprint}\n`);
  expect((await admin("key")).events).toMatchObject([{ event: "status", fingerprint }]);
  rmSync(`${data}/server.key`);
  const imported = await run(["server", "key", "import", backup, "--data", data]);
  expect([imported.exitCode, imported.stdout]).toEqual([0, `${fingerprint}\n`]);
  expect(await once()).toBe(fingerprint);
  const other = folder.at("other");
  mkdirSync(other, { mode: 0o700 });
  writeFileSync(`${other}/server.key`, `${"ab".repeat(25)}aa\n`, { mode: 0o600 });
  expectMistake(
    await run(["server", "key", "import", backup, "--data", other, "--json"]),
    "config",
    /move that file away/,
  );
});

test("the same key is exported and imported again beside a running server, and no other file is written over", async () => {
  await using server = serve();
  await server.waitFor("ready");
  const file = folder.at("nodes.key");
  for (const verb of ["export", "export", "import"])
    expect((await run(["server", "key", verb, file, "--data", data])).exitCode).toBe(0);
  writeFileSync(file, "something else\n", { mode: 0o600 });
  const refused = await run(["server", "key", "export", file, "--data", data, "--json"]);
  expectMistake(refused, "config", /name of a new file/);
  expect(readFileSync(file, "utf8")).toBe("something else\n");
});

test("bad input 169: a port that is taken, and an address of another machine, are told with the fix", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const finished = await run(["server", "--json", "--data", data, "--listen", `127.0.0.1:${port}`]);
  expectMistake(finished, "port-in-use", /another port/);
  taken.close();
  expectMistake(
    await run(["server", "--json", "--data", data, "--listen", "192.0.2.77:0"]),
    "config",
    /address of this machine/,
  );
});

test("bad input 179: open registration with a relay without measure starts with a loud warning that names both", async () => {
  const uncapped = { env: { P2P_LIMIT_RELAY_RATE: "0", P2P_LIMIT_RELAY_DAILY: "0" } };
  const words = ["server", "--data", data, "--listen", "127.0.0.1:0", "--open-registration"];
  const both =
    /ANYONE may register \(open-registration\) .*WITHOUT MEASURE .*limit-relay-rate = 0, limit-relay-daily = 0/;
  await using server = start(words, uncapped);
  await server.waitForText(both);
  const { exitCode, stdout } = await run(["server", "--check", "--data", data, "--open-registration"], uncapped);
  expect([exitCode, both.test(stdout)]).toEqual([0, true]);
});

test("limits stand in server.toml, and nonsense is refused with file, line and key", async () => {
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(`${data}/server.toml`, "limit-rings = 20\nlimit-relay-rate = 0.5\n", { mode: 0o600 });
  expect((await run(["server", "--check", "--data", data])).exitCode).toBe(0);
  writeFileSync(`${data}/server.toml`, 'limit-rings = 20\nlimit-relay-rate = "10 MB"\n', { mode: 0o600 });
  const { exitCode, stderr } = await run(["server", "--check", "--data", data]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/server\.toml:2: limit-relay-rate: .*\n.*hint: .*MB a second; the default is 12\.5/);
});

test("a person who comes too early waits as long as the server says, and with --wait too short hears how long", async () => {
  const words = ["server", "--json", "--data", data, "--listen", "127.0.0.1:0"];
  await using server = start(words, { env: { P2P_LIMIT_HANDSHAKES: "1" } });
  const { join } = await server.waitFor("ready");
  const password = folder.at("password");
  writeFileSync(password, "correct horse battery\n", { mode: 0o600 });
  const register = (name: string, ...more: readonly string[]) => {
    const line = ["register", name, "--server", join, "--password-file", password, "--json", ...more];
    return run([...line, "--home", folder.at(name)]);
  };
  const hasty = await Promise.all(["ana", "ben", "cem"].map((name) => register(name, "--wait", "0.5")));
  expect(hasty.map(({ exitCode }) => exitCode).toSorted((a, b) => a - b)).toEqual([0, 11, 11]);
  const late = hasty.flatMap(({ events }) => events.filter((event) => event.event === "error"));
  for (const error of late) expect(error).toMatchObject({ code: "busy", side: "server", hint: "try again in 1 s" });
  expect((await Promise.all([register("dia"), register("eli")])).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
});

test("invite, users, passwd and revoke work on a running server, and without one", async () => {
  const home = folder.at("home");
  const password = folder.at("password");
  writeFileSync(password, "correct horse battery\n", { mode: 0o600 });
  const person = (...words: readonly string[]) => run([...words, "--json", "--home", home]);
  const server = serve();
  const { join } = await server.waitFor("ready");
  expect((await person("register", "ana", "--server", join, "--password-file", password)).exitCode).toBe(0);
  const online = async () => {
    const invite = (await admin("invite", "--uses", "2")).events[0];
    expect(invite).toMatchObject({ event: "invite" });
    expect(invite?.event === "invite" ? invite.join : "").toMatch(/^p2p:\/\/.*#[a-z2-7]{52}\.[a-z2-7]{26}$/);
    expect((await admin("users")).events).toMatchObject([{ event: "user", name: "ana", online: false, trust: "none" }]);
    expect((await admin("passwd", "ana")).events).toMatchObject([{ event: "invite" }]);
    expect((await admin("passwd", "nobody")).events).toMatchObject([{ event: "error", code: "no-such-person" }]);
  };
  await online();
  expect((await person("whoami")).exitCode).toBe(0);
  expect((await admin("revoke", "ana")).exitCode).toBe(0);
  expect((await person("whoami")).exitCode).toBe(3);
  server.signal("SIGKILL");
  await server.finished();
  await online();
  await server[Symbol.asyncDispose]();
});

test("a reset line sets a new password once, and every device signs in again", async () => {
  const [oldPassword, newPassword] = [folder.at("old"), folder.at("new")];
  writeFileSync(oldPassword, "correct horse battery\n", { mode: 0o600 });
  writeFileSync(newPassword, "another horse battery\n", { mode: 0o600 });
  const person = (home: string, ...words: readonly string[]) => run([...words, "--json", "--home", folder.at(home)]);
  await using server = serve();
  const { join } = await server.waitFor("ready");
  await person("laptop", "register", "ana", "--server", join, "--password-file", oldPassword);
  const [event] = (await admin("passwd", "ana")).events;
  const line = event?.event === "invite" ? event.join : "";
  const login = (password: string, by: string) =>
    person("phone", "login", "ana", "--server", by, "--password-file", password);
  expect((await login(newPassword, line)).exitCode).toBe(0);
  expect((await person("phone", "whoami")).exitCode).toBe(0);
  expect((await person("laptop", "whoami")).exitCode).toBe(3);
  expect((await person("third", "login", "ana", "--server", line, "--password-file", oldPassword)).exitCode).toBe(3);
});

test("the operator's door opens to the token alone, and to no web page", async () => {
  await using server = serve();
  await server.waitFor("ready");
  const { port, token }: { port: number; token: string } = JSON.parse(readFileSync(`${data}/admin.json`, "utf8"));
  const ask = async (headers: Record<string, string>, body: string | null = '{"kind":"users","after":""}') => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: body === null ? "GET" : "POST",
      headers,
      body,
    });
    return [response.status, response.ok ? await response.json() : await response.text()];
  };
  const right = { Authorization: `Bearer ${token}` };
  expect(await ask({})).toEqual([403, ""]);
  expect(await ask({ Authorization: `Bearer ${"0".repeat(64)}` })).toEqual([403, ""]);
  expect(await ask({ ...right, Origin: "http://127.0.0.1" })).toEqual([403, ""]);
  expect(await ask(right, null)).toEqual([400, ""]);
  for (const body of [
    "",
    "{",
    "[]",
    '{"kind":"users"}',
    '{"kind":"invite","uses":1e9,"days":1}',
    '{"kind":"revoke","name":{}}',
  ])
    expect(await ask(right, body)).toEqual([400, ""]);
  expect(await ask(right)).toEqual([200, { kind: "users", users: [], more: false }]);
});

test("bad input 191: a store from before a device was revoked makes every device enrol again", async () => {
  const home = folder.at("home");
  const password = folder.at("password");
  writeFileSync(password, "correct horse battery\n", { mode: 0o600 });
  const person = (...words: readonly string[]) => run([...words, "--json", "--home", home]);
  const server = serve();
  const { join, http } = await server.waitFor("ready");
  await person("register", "ana", "--server", join, "--password-file", password);
  server.signal("SIGTERM");
  await server.finished();
  copyFileSync(`${data}/accounts.db`, folder.at("backup.db"));
  expect((await admin("revoke", "ana")).exitCode).toBe(0);
  for (const suffix of ["-wal", "-shm"]) rmSync(`${data}/accounts.db${suffix}`, { force: true });
  copyFileSync(folder.at("backup.db"), `${data}/accounts.db`);
  await using again = start(["server", "--json", "--data", data, "--listen", http]);
  await again.waitFor("ready");
  await again.waitForText("accounts-restored");
  expect((await person("whoami")).exitCode).toBe(3);
  await server[Symbol.asyncDispose]();
});
