import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { openAccountFile } from "../../../../src/store/sqlite/account-store.ts";
import { openDatabaseFile } from "../../../../src/store/sqlite/database-file.ts";
import { migrate, migrations, schemaVersion } from "../../../../src/store/sqlite/schema.ts";
import { account } from "../../../contract/samples.ts";
import { Folder } from "./folder.ts";

const NICKNAMES = "ALTER TABLE accounts ADD COLUMN nickname TEXT; UPDATE accounts SET nickname = upper(name)";

test("an account file of an older schema is brought to the newest, with all that it holds", async () => {
  using folder = new Folder();
  const ana = account();
  {
    await using store = await openAccountFile(folder.file);
    await store.accounts.create(ana, "open");
  }
  const { db } = await openDatabaseFile(folder.file, { steps: [...migrations, NICKNAMES] });
  expect(schemaVersion(db)).toBe(migrations.length + 1);
  const row = db.prepare<{ user_id: Uint8Array; nickname: string }, []>("SELECT user_id, nickname FROM accounts").get();
  expect(row).toEqual({ user_id: ana.userId, nickname: "ANA" });
  db.close(true);
});

test("an account file is opened without a migration when it has the newest schema", async () => {
  using folder = new Folder();
  for (let opened = 0; opened < 3; opened++) {
    const { db } = await openDatabaseFile(folder.file);
    expect(schemaVersion(db)).toBe(migrations.length);
    db.close(true);
  }
});

test("migrate() that fails half-way leaves the schema that was there", () => {
  using db = new Database(":memory:", { strict: true });
  migrate(db, migrations);
  expect(() => migrate(db, [...migrations, NICKNAMES, "INSERT INTO nowhere VALUES (1)"])).toThrow("nowhere");
  expect(schemaVersion(db)).toBe(migrations.length);
  const columns = db.prepare<{ name: string }, []>("PRAGMA table_info(accounts)").all();
  expect(columns.map(({ name }) => name)).not.toContain("nickname");
});
