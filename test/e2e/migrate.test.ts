import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { MongoClient } from "mongodb";
import type { MigratedEvent } from "../../src/modes/cli/events.ts";
import { openAccountStore } from "../../src/store/open.ts";
import { notHere } from "../contract/not-here.ts";
import { type Finished, type P2p, run, start } from "../support/binary.ts";
import { Community, startServer } from "../support/community.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";
import { type MongoDatabase, type MongoServer, startMongodb } from "../support/mongodb.ts";

let folder: TemporaryFolder;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder[Symbol.dispose]());

const mongodb = await startMongodb();
if ("missing" in mongodb) notHere("server migrate to and from MongoDB", mongodb.missing);
else {
  withMongodb(mongodb.server);
  afterAll(() => mongodb.server[Symbol.asyncDispose]());
}

function withMongodb(server: MongoServer): void {
  test("people move from a file to MongoDB and back, and notice nothing", async () => {
    await using database = server.database();
    await using town = await Community.found();
    const [ana, ben] = [await town.register("ana"), await town.register("ben")];
    const lost = await town.newcomer("ana", {}, "lost");
    const login = ["login", "ana", "--password-file", ana.passwordFile, "--server", withoutInvitation(town.joinLine)];
    expect((await run([...login, "--json", "--home", lost.home])).exitCode).toBe(0);
    expect((await run(["logout", "--json", "--home", lost.home])).exitCode).toBe(0);
    await end(town.server);

    const there = await migrated("--data", town.dataFolder, "--to", database.url);
    expect(there.counts).toMatchObject({ accounts: 2, devices: 2, revokedDevices: 1, invitations: 1 });
    const listen = town.http;
    await using onMongodb = startServer(town.dataFolder, { listen, flags: ["--accounts", database.url] });
    await onMongodb.waitFor("ready");
    await expectTalk(ana, ben);
    expect((await run(["whoami", "--json", "--home", lost.home])).exitCode).toBe(3);
    const cyd = await town.register("cyd");
    await end(onMongodb);

    const file = folder.at("accounts.db");
    const back = await migrated("--data", town.dataFolder, "--from", database.url, "--to", `sqlite:${file}`);
    expect(back.counts).toMatchObject({ accounts: 3, devices: 3, revokedDevices: 1 });
    expect(back.generation).toBeGreaterThan(there.generation);
    await using onFile = startServer(town.dataFolder, { listen, flags: ["--accounts", `sqlite:${file}`] });
    await onFile.waitFor("ready");
    await expectTalk(cyd, ana);
    expect(onFile.stderr).not.toContain("accounts-restored");
  });

  test("a migration to MongoDB that was killed goes on, and ends with the same", async () => {
    await using database = server.database();
    const file = folder.at("accounts.db");
    await fill(file, 2_500);
    await using first = start(migration("--from", `sqlite:${file}`, "--to", database.url));
    await until(async () => (await recordsIn(database)) > 0, first);
    first.signal("SIGKILL");
    expect(await first.exited).toBe(137);
    const copied = await recordsIn(database);
    expect(copied).toBeLessThan(5_000);
    const { counts, alreadyThere } = await migrated("--from", `sqlite:${file}`, "--to", database.url);
    expect([counts["accounts"], counts["devices"]]).toEqual([2_500, 2_500]);
    expect(alreadyThere).toBeGreaterThanOrEqual(copied);
  });

  if (server.process !== null)
    test("a MongoDB that goes away ends the migration with busy, and the next run goes on", async () => {
      const search = await startMongodb();
      if ("missing" in search || search.server.process === null) throw new Error("there was one a moment ago");
      await using own = search.server;
      await using database = own.database();
      const file = folder.at("accounts.db");
      await fill(file, 2_500);
      await using first = start(migration("--from", `sqlite:${file}`, "--to", database.url));
      await until(async () => (await recordsIn(database)) > 0, first);
      await search.server.process.stop();
      const { exitCode, events, stderr } = await first.finished();
      expect([exitCode, events]).toMatchObject([11, [{ event: "error", code: "busy", fatal: true }]]);
      expect(stderr).toContain("what was copied stays; the same command goes on from there");
      await search.server.process.start();
      const { counts } = await migrated("--from", `sqlite:${file}`, "--to", database.url);
      expect([counts["accounts"], counts["devices"]]).toEqual([2_500, 2_500]);
    });
}

test("a URL with a password is refused in an argument, and taken from a private file", async () => {
  const url = "mongodb://p2p:secret@127.0.0.1:1/p2p";
  await fill(folder.at("accounts.db"), 1);
  const source = `sqlite:${folder.at("accounts.db")}`;
  for (const line of [
    ["--from", source, "--to", url],
    ["--from", url, "--to", source],
  ]) {
    const refused = await migrate(...line);
    expect([refused.exitCode, refused.events.at(-1)]).toMatchObject([2, { event: "error", code: "usage" }]);
    expect(refused.stdout + refused.stderr).not.toContain("secret");
  }
  writeFileSync(folder.at("url"), `${url}\n`, { mode: 0o600 });
  const away = await migrate("--from", source, "--accounts-file", folder.at("url"));
  expect([away.exitCode, away.events.at(-1)]).toMatchObject([11, { event: "error", code: "busy" }]);
  expect(away.stdout + away.stderr).not.toContain("secret");
  const both = await migrate("--from", source, "--to", "mongodb://127.0.0.1:1/x", "--accounts-file", folder.at("url"));
  expect([both.exitCode, both.events.at(-1)]).toMatchObject([2, { event: "error", code: "usage" }]);
});

test("a running server on either store has to be stopped first", async () => {
  await using town = await Community.found();
  const data = town.dataFolder;
  const own = `sqlite:${data}/accounts.db`;
  await fill(folder.at("other.db"), 1);
  for (const line of [
    ["--data", data, "--to", `sqlite:${folder.at("new.db")}`],
    ["--from", own, "--to", `sqlite:${folder.at("new.db")}`],
    ["--from", `sqlite:${folder.at("other.db")}`, "--to", own],
  ]) {
    const refused = await migrate(...line);
    expect([refused.exitCode, refused.events.at(-1)]).toMatchObject([2, { event: "error", code: "config" }]);
    expect(refused.events.at(-1)).toMatchObject({ message: expect.stringContaining("a p2p server runs in") });
  }
  expect(existsSync(folder.at("new.db"))).toBe(false);
});

test("what cannot be copied from or into is told before anything is made", async () => {
  await fill(folder.at("accounts.db"), 1);
  const file = `sqlite:${folder.at("accounts.db")}`;
  mkdirSync(folder.at("sub"));
  writeFileSync(folder.at("text.db"), "not a database".repeat(100), { mode: 0o600 });
  const cases = [
    [9, "file-not-found", "--from", `sqlite:${folder.at("missing.db")}`, "--to", `sqlite:${folder.at("new.db")}`],
    [2, "usage", "--from", file, "--to", `sqlite:${folder.at("sub")}/../accounts.db`],
    [2, "usage", "--from", file, "--to", "memory:"],
    [2, "usage"],
    [9, "not-writable", "--from", file, "--to", `sqlite:${folder.at("no", "folder.db")}`],
    [2, "config", "--from", file, "--to", `sqlite:${folder.at("text.db")}`],
    [2, "config", "--from", `sqlite:${folder.at("text.db")}`, "--to", `sqlite:${folder.at("new.db")}`],
  ] as const;
  for (const [exit, code, ...line] of cases) {
    const { exitCode, events } = await migrate(...line);
    expect([line, exitCode, events]).toMatchObject([line, exit, [{ event: "error", code, fatal: true }]]);
  }
  expect(readdirSync(folder.path).sort()).toEqual(["accounts.db", "sub", "text.db"]);
});

test("a target with another account is refused and stays as it was; the source stays in any case", async () => {
  await fill(folder.at("accounts.db"), 2);
  await fill(folder.at("other.db"), 1);
  const [from, to] = [`sqlite:${folder.at("accounts.db")}`, `sqlite:${folder.at("other.db")}`];
  const { exitCode, events } = await migrate("--from", from, "--to", to);
  expect([exitCode, events]).toMatchObject([2, [{ event: "error", code: "config" }]]);
  const copied = await migrated("--from", to, "--to", `sqlite:${folder.at("copy.db")}`);
  expect(copied.counts).toMatchObject({ accounts: 1, devices: 1 });
});

test("Ctrl-C and kill -9 from file to file leave what the next run goes on with", async () => {
  await fill(folder.at("accounts.db"), 8_000);
  const line = ["--from", `sqlite:${folder.at("accounts.db")}`, "--to", `sqlite:${folder.at("new.db")}`];
  for (const [signal, status] of [
    ["SIGINT", 130],
    ["SIGKILL", 137],
  ] as const) {
    await using first = start(migration(...line));
    await until(async () => sizeOf(folder.at("new.db-wal")) > 500_000, first);
    first.signal(signal);
    expect(await first.exited).toBe(status);
  }
  const { counts, alreadyThere } = await migrated(...line);
  expect([counts["accounts"], counts["devices"]]).toEqual([8_000, 8_000]);
  expect(alreadyThere).toBeGreaterThan(0);
});

test("a person reads how many there are of each, and what to do next", async () => {
  await fill(folder.at("accounts.db"), 3);
  const { exitCode, stdout, stderr } = await run([
    "server",
    "migrate",
    "--data",
    folder.at("data"),
    "--from",
    `sqlite:${folder.at("accounts.db")}`,
    "--to",
    `sqlite:${folder.at("new.db")}`,
  ]);
  expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^start the servers with --accounts "sqlite:/)]);
  expect(stdout).toMatch(/^copied in \d+\.\d s and found the same: sqlite:.* → sqlite:.*\naccounts +3 +[0-9a-f]{16}\n/);
});

function migration(...words: readonly string[]): readonly string[] {
  const data = words.includes("--data") ? [] : ["--data", folder.at("data")];
  return ["server", "migrate", "--json", ...data, ...words];
}

function migrate(...words: readonly string[]): Promise<Finished> {
  return run(migration(...words));
}

async function migrated(...words: readonly string[]): Promise<MigratedEvent> {
  const { events, stderr } = await migrate(...words);
  const [event] = events;
  if (event?.event !== "migrated") throw new Error(JSON.stringify(events) + stderr);
  return event;
}

/** Each with a device. */
async function fill(file: string, people: number): Promise<void> {
  await using store = await openAccountStore(`sqlite:${file}`);
  const bytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const createdAtMs = 1_793_700_000_000;
  const ids = Array.from({ length: people }, () => bytes(16));
  for (let start = 0; start < people; start += 1_000) {
    const accounts = ids.slice(start, start + 1_000).map((userId, index) => ({
      userId,
      name: `guest${start + index}`,
      passwordHash: "$argon2id$",
      createdAtMs,
      invisible: false,
      blocked: false,
      inviteId: userId,
      inviteSlot: 0,
    }));
    const devices = accounts.map(({ userId }) => ({
      deviceId: bytes(16),
      userId,
      slot: 0,
      key: bytes(32),
      signKey: bytes(32),
      label: "laptop",
      deviceList: bytes(64),
      createdAtMs,
      lastSeenAtMs: createdAtMs,
    }));
    await store.records.add("accounts", accounts);
    await store.records.add("devices", devices);
  }
}

async function recordsIn({ url }: MongoDatabase): Promise<number> {
  await using client = new MongoClient(url);
  const counts = ["accounts", "devices"].map((name) => client.db().collection(name).countDocuments());
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function end(server: P2p): Promise<void> {
  server.signal("SIGTERM");
  expect(await server.exited).toBe(0);
}

type Person = Awaited<ReturnType<Community["register"]>>;

/** With the homes that they have. */
async function expectTalk(from: Person, to: Person): Promise<void> {
  await using receiver = await to.receiving();
  expect((await from.run("msg", to.name, "hi")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ from: from.name, text: "hi" });
}

function withoutInvitation(line: string): string {
  return line.replace(/\.[a-z2-7]{26}$/, "");
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Looks again and again, as long as the program runs. */
async function until(look: () => Promise<boolean>, program: P2p): Promise<void> {
  let hasEnded = false;
  void program.exited.then(() => (hasEnded = true));
  while (!(await look())) {
    if (hasEnded) throw new Error(`it ended first: ${program.stdout}${program.stderr}`);
    await Bun.sleep(5);
  }
}
