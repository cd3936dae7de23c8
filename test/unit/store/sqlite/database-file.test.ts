import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAccountFile, SqliteAccountStore } from "../../../../src/store/sqlite/account-store.ts";
import { openDatabaseFile } from "../../../../src/store/sqlite/database-file.ts";
import { account, codeOfRejection } from "../../../contract/samples.ts";
import { Folder } from "./folder.ts";

const isWindows = process.platform === "win32";

test("a new account file keeps what it is told across a reopen, and is one file when closed", async () => {
  using folder = new Folder();
  const ana = account();
  {
    await using store = await openAccountFile(folder.file);
    await store.accounts.create(ana, "open");
  }
  expect(folder.names()).toEqual(["accounts.db"]);
  await using store = await openAccountFile(folder.file);
  expect((await store.accounts.find("ana"))?.userId).toEqual(ana.userId);
});

test("an account file is in WAL mode and flushed for each write", async () => {
  using folder = new Folder();
  const { db } = await openDatabaseFile(folder.file);
  expect(db.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(db.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
  db.close(true);
});

for (const umask of [0o000, 0o077, 0o777]) {
  const text = umask.toString(8).padStart(3, "0");
  test.skipIf(isWindows)(
    `bad input 177: under umask ${text} the account file and its side files are 0600`,
    async () => {
      using folder = new Folder();
      const before = process.umask(umask);
      try {
        await using store = await openAccountFile(folder.file);
        await store.accounts.create(account(), "open");
        expect(folder.names()).toEqual(["accounts.db", "accounts.db-shm", "accounts.db-wal"]);
        for (const name of folder.names()) expect(folder.mode(name)).toBe("0600");
      } finally {
        process.umask(before);
      }
    },
  );
}

test.skipIf(isWindows)("an account file that others may read is refused with the command that mends it", async () => {
  using folder = new Folder();
  await (await openAccountFile(folder.file))[Symbol.asyncDispose]();
  chmodSync(folder.file, 0o644);
  await expect(openAccountFile(folder.file)).rejects.toMatchObject({
    code: "config",
    message: `cannot open the account store: ${folder.file} is open to others (mode 0644)`,
    hint: `chmod 600 ${folder.file}`,
  });
  expect(folder.mode("accounts.db")).toBe("0644");
});

test("an account file in a folder that does not exist is told", async () => {
  using folder = new Folder();
  const file = join(folder.path, "missing", "accounts.db");
  await expect(openAccountFile(file)).rejects.toMatchObject({
    code: "not-writable",
    message: `cannot create ${file}: its folder does not exist`,
  });
});

test("a folder in place of an account file is told", async () => {
  using folder = new Folder();
  mkdirSync(folder.file);
  await expect(openAccountFile(folder.file)).rejects.toMatchObject({ code: "config" });
});

test("a log without its account file is not played into a new one", async () => {
  using folder = new Folder();
  const store = await openAccountFile(folder.file);
  await store.accounts.create(account(), "open");
  renameSync(folder.file, join(folder.path, "elsewhere.db"));
  await expect(openAccountFile(folder.file)).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining(`${folder.file} is missing`),
  });
  expect(folder.names()).toContain("accounts.db-wal");
  expect(folder.names()).not.toContain("accounts.db");
  await store[Symbol.asyncDispose]();
});

test("bad input 181: an account file that may not be written is refused with its name", async () => {
  using folder = new Folder();
  await (await openAccountFile(folder.file))[Symbol.asyncDispose]();
  await asNobody(folder, async () => {
    chmodSync(folder.file, 0o400);
    await expect(openAccountFile(folder.file)).rejects.toMatchObject({
      code: "not-writable",
      message: expect.stringContaining(folder.file),
    });
  });
});

test("bad input 181: a full disk is told, and what was written before it is kept", async () => {
  using folder = new Folder();
  {
    await using store = await openAccountFile(folder.file);
    await store.accounts.create(account(), "open");
  }
  const full = new Database(folder.file, { readwrite: true, create: false });
  full.run("PRAGMA max_page_count = 1"); // SQLite takes it as "no more pages than there are now"
  const store = new SqliteAccountStore({ db: full, place: folder.file, busyWaitMs: 0 });
  const codes = new Set<unknown>();
  for (let number = 0; number < 100; number++) {
    codes.add(await codeOfRejection(store.accounts.create(account({ name: `guest${number}` }), "open")));
  }
  expect(codes).toEqual(new Set([null, "disk-full"]));
  expect(await store.check()).toEqual([]);
  expect((await store.accounts.find("ana"))?.name).toBe("ana");
  await store[Symbol.asyncDispose]();
});

test("bad input 181: a file that is no database, or another program's, is refused and left as it is", async () => {
  using folder = new Folder();
  const foreign = join(folder.path, "foreign.db");
  using db = new Database(foreign);
  db.run("CREATE TABLE notes (text TEXT)");
  chmodSync(foreign, 0o600);
  writeFileSync(folder.file, "not a database ".repeat(500), { mode: 0o600 });
  for (const file of [foreign, folder.file]) {
    const before = await Bun.file(file).bytes();
    await expect(openAccountFile(file)).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining(file),
    });
    expect(await Bun.file(file).bytes()).toEqual(before);
  }
});

/** Modes mean nothing to root: there the file goes to nobody, and so do we for a moment. */
async function asNobody(folder: Folder, work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  for (const path of [folder.path, folder.file]) chownSync(path, NOBODY, NOBODY);
  process.seteuid?.(NOBODY);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

const NOBODY = 65_534;
