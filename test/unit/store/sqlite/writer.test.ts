import { expect, test } from "bun:test";
import { Worker } from "node:worker_threads";
import { openAccountFile } from "../../../../src/store/sqlite/account-store.ts";
import type { ThreadData } from "../../../../src/store/sqlite/thread-messages.ts";
import { Writer } from "../../../../src/store/sqlite/writer.ts";
import { account, device, NOW_MS, randomBytes } from "../../../contract/samples.ts";
import { commitsIn } from "./commits.ts";
import { Folder } from "./folder.ts";
import { OtherProcess } from "./other-process.ts";

test("writes to an account file that come together are committed together", async () => {
  using folder = new Folder();
  await using store = await openAccountFile(folder.file);
  await store.accounts.create(account(), "open");
  const before = commitsIn(folder.file);
  const guests = Array.from({ length: 100 }, (_, number) => account({ name: `guest${number}` }));
  await Promise.all(guests.map(async (guest) => store.accounts.create(guest, "open")));
  expect(commitsIn(folder.file) - before).toBe(2); // the first, and those that came meanwhile
  expect(await store.accounts.list({ limit: 1_000 })).toHaveLength(101);
});

test("writes to an account file are done in the order in which they are asked for", async () => {
  using folder = new Folder();
  await using store = await openAccountFile(folder.file);
  const ana = account();
  const hashes = Array.from({ length: 20 }, (_, number) => `hash ${number}`);
  const created = store.accounts.create(ana, "open");
  const set = hashes.map(async (hash) => store.accounts.setPasswordHash(ana.userId, hash));
  await created;
  expect(await Promise.all(set)).toEqual(hashes.map(() => true));
  expect((await store.accounts.find("ana"))?.passwordHash).toBe("hash 19");
});

test("a write to an account file takes the bytes as they are when it is asked for", async () => {
  using folder = new Folder();
  await using store = await openAccountFile(folder.file);
  const [first, waiting] = [device(randomBytes(16)), device(randomBytes(16), { deviceList: randomBytes(8) })];
  const { deviceId, deviceList } = structuredClone(waiting);
  const enrolled = Promise.all([store.devices.enrol(first), store.devices.enrol(waiting)]);
  for (const bytes of [waiting.deviceId, waiting.deviceList]) bytes.fill(0);
  await enrolled;
  expect((await store.devices.find(deviceId))?.deviceList).toEqual(deviceList);
});

test("what a write to an account file gives is what the store gives", async () => {
  using folder = new Folder();
  await using store = await openAccountFile(folder.file);
  const ana = account();
  const token = { tokenHash: randomBytes(32), userId: ana.userId, expiresAtMs: NOW_MS + 1 };
  await store.accounts.create(ana, "open");
  await store.resets.create(token);
  expect(await store.resets.redeem(token.tokenHash, NOW_MS)).toEqual(ana.userId);
  expect(await store.resets.redeem(token.tokenHash, NOW_MS)).toBeNull();
  expect(await store.bumpGeneration(7)).toBe(8);
  expect(await store.blocks.remove(ana.userId, randomBytes(16))).toBe(false);
});

test("closing an account file waits for what was asked for before, and takes nothing after it", async () => {
  using folder = new Folder();
  const store = await openAccountFile(folder.file);
  const names = ["ana", "ben", "cyd"];
  const created = Promise.all(names.map(async (name) => store.accounts.create(account({ name }), "open")));
  await store[Symbol.asyncDispose]();
  await created;
  await expect(store.accounts.create(account({ name: "dan" }), "open")).rejects.toThrow("is closed");
  expect(folder.names()).toEqual(["accounts.db"]);
  await using again = await openAccountFile(folder.file);
  expect((await again.accounts.list({ limit: 10 })).map(({ name }) => name)).toEqual(names);
});

test("a program that leaves an account file open and has nothing else to do comes to its end", async () => {
  using folder = new Folder();
  await using other = new OtherProcess("leave-open", folder.file);
  expect(await other.lines(Number.POSITIVE_INFINITY)).toEqual(["written"]);
  await using store = await openAccountFile(folder.file);
  expect((await store.accounts.find("ana"))?.name).toBe("ana");
});

for (const how of ["throws", "exits"]) {
  test(`a write whose thread ${how} fails as a defect, and the next one has a new thread`, async () => {
    using folder = new Folder();
    await using store = await openAccountFile(folder.file);
    const threads = [new URL("ending-thread.ts", import.meta.url), writerThread];
    const start = (data: ThreadData) => new Worker(threads.shift() ?? writerThread, { workerData: { ...data, how } });
    await using writer = await Writer.open({ place: folder.file, busyWaitMs: 0 }, start);
    const both = ["ana", "ben"].map(async (name) => writer.write("createAccount", account({ name }), "open"));
    const [ana, ben] = await Promise.allSettled(both);
    expect(ana).toMatchObject({
      status: "rejected",
      reason: { name: "Error", message: expect.stringContaining("ended") },
    });
    expect(ben).toEqual({ status: "fulfilled", value: undefined });
    expect((await store.accounts.list({ limit: 10 })).map(({ name }) => name)).toEqual(["ben"]);
  });
}

const writerThread = new URL("../../../../src/store/sqlite/writer-thread.ts", import.meta.url);

test("Writer.open() says why its thread cannot open the file", async () => {
  using folder = new Folder();
  await expect(Writer.open({ place: folder.file, busyWaitMs: 0 })).rejects.toMatchObject({
    name: "StoreError",
    code: "not-writable",
    message: `cannot open the account store: ${folder.file} cannot be opened`,
    hint: "check owner and mode of file and folder",
  });
});
