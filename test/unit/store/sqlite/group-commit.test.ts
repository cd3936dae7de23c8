import { expect, test } from "bun:test";
import type { AccountStore } from "../../../../src/store/accounts.ts";
import { SqliteAccountStore } from "../../../../src/store/sqlite/account-store.ts";
import type { Connection } from "../../../../src/store/sqlite/connection.ts";
import { openDatabaseFile } from "../../../../src/store/sqlite/database-file.ts";
import { commitTogether } from "../../../../src/store/sqlite/group-commit.ts";
import type { Call } from "../../../../src/store/sqlite/writes.ts";
import { account, device, NOW_MS, randomBytes } from "../../../contract/samples.ts";
import { commitsIn } from "./commits.ts";
import { Folder } from "./folder.ts";
import { OtherProcess } from "./other-process.ts";

/** An account file in use. */
class Opened implements AsyncDisposable {
  readonly folder = new Folder();
  readonly connection: Connection;
  readonly store: AccountStore;

  private constructor(folder: Folder, connection: Connection) {
    this.folder = folder;
    this.connection = connection;
    this.store = new SqliteAccountStore(connection);
  }

  static async file(busyWaitMs = 0): Promise<Opened> {
    const folder = new Folder();
    return new Opened(folder, await openDatabaseFile(folder.file, { busyWaitMs }));
  }

  async commit(...calls: readonly Call[]) {
    return commitTogether(this.connection, this.store, calls);
  }

  async names(): Promise<readonly string[]> {
    return (await this.store.accounts.list({ limit: 1_000 })).map(({ name }) => name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

function create(name: string): Call {
  return { name: "createAccount", args: [account({ name }), "open"] };
}

test("commitTogether() does all calls with one commit and tells what each gave", async () => {
  await using opened = await Opened.file();
  const ana = account();
  const laptop = device(ana.userId);
  const before = commitsIn(opened.folder.file);
  const outcomes = await opened.commit(
    { name: "createAccount", args: [ana, "open"] },
    { name: "enrol", args: [laptop] },
    { name: "setBlocked", args: [randomBytes(16), true] },
    { name: "markSeen", args: [[laptop.deviceId], NOW_MS] },
    { name: "revokeAll", args: [ana.userId, NOW_MS] },
  );
  expect(commitsIn(opened.folder.file) - before).toBe(1);
  const enrolled = expect.objectContaining({ deviceId: laptop.deviceId, revokedAtMs: null });
  const values = [undefined, enrolled, false, undefined, [laptop.deviceId]];
  expect(outcomes).toEqual(values.map((value) => ({ value })));
  expect((await opened.store.devices.find(laptop.deviceId))?.revokedAtMs).toBe(NOW_MS);
});

test("commitTogether() undoes what one call did before it failed, and nothing of its neighbours", async () => {
  await using opened = await Opened.file();
  const outcomes = await opened.commit(
    create("ana"),
    create("ana"),
    { name: "enrol", args: [{ ...device(randomBytes(16)), key: "no key" }] },
    { name: "addRecords", args: ["blocks", [block(1), { ...block(2), blockedUserId: randomBytes(3) }]] },
    create("ben"),
  );
  const code = (code: string) => ({ error: expect.objectContaining({ name: "StoreError", code }) });
  const typeError = { error: expect.objectContaining({ name: "TypeError", code: null }) };
  expect(outcomes).toEqual([{ value: undefined }, code("name-taken"), typeError, typeError, { value: undefined }]);
  expect(await opened.names()).toEqual(["ana", "ben"]);
  expect(await opened.store.blocks.list(block(1).userId)).toEqual([]);
});

function block(number: number) {
  return { userId: new Uint8Array(16).fill(9), blockedUserId: new Uint8Array(16).fill(number) };
}

test("bad input 181: commitTogether() that fills the disk has done nothing, and what has room is done later", async () => {
  await using opened = await Opened.file();
  opened.connection.db.run("PRAGMA max_page_count = 1"); // SQLite takes it as "no more pages than there are now"
  const guests = Array.from({ length: 200 }, (_, number) => create(`guest${number}`));
  await expect(opened.commit(...guests)).rejects.toMatchObject({ code: "disk-full" });
  expect(await opened.names()).toEqual([]);
  expect(await opened.commit(create("ana"))).toEqual([{ value: undefined }]);
  expect(await opened.names()).toEqual(["ana"]);
  expect(await opened.store.check()).toEqual([]);
});

test("bad input 181: commitTogether() does nothing while another process holds the file, and can be tried again", async () => {
  await using opened = await Opened.file();
  await using holder = new OtherProcess("hold", opened.folder.file);
  await holder.lines(1);
  await expect(opened.commit(create("ana"))).rejects.toMatchObject({
    code: "busy",
    message: `cannot write to the account store: ${opened.folder.file} is locked by another process`,
  });
  expect(await opened.names()).toEqual([]);
  await holder.goOn();
  expect(await opened.commit(create("ana"))).toEqual([{ value: undefined }]);
});
