import { afterAll, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import type { AccountStore } from "../../src/store/accounts.ts";
import { StoreError } from "../../src/store/errors.ts";
import { openAccountStore } from "../../src/store/open.ts";
import type { StoreTrouble } from "../../src/store/trouble.ts";
import type { DatabaseProcess } from "../support/database-process.ts";
import { type MongoDatabase, type MongoServer, startMongodb } from "../support/mongodb.ts";
import { within } from "../support/within.ts";
import { notHere } from "./not-here.ts";
import { account, codeOfRejection, DAY_MS, device, invitation, NOW_MS, randomBytes } from "./samples.ts";

/** What a person waits for at most before he hears `busy`. */
const TOLD_WITHIN_MS = 3_000;
/** After the database is back. */
const BACK_WITHIN_MS = 5_000;

const mongodb = await startMongodb();
if ("missing" in mongodb) notHere("AccountStore on MongoDB in trouble", mongodb.missing);
else {
  whatStands(mongodb.server);
  if (mongodb.server.process !== null) whatStops(mongodb.server, mongodb.server.process);
  if (mongodb.server.kind === "ferretdb") whatFillsUp();
  afterAll(() => mongodb.server[Symbol.asyncDispose]());
}

notHere("bad input 185: the primary steps down, or fails over", "no replica set");
notHere("bad input 185: a write concern times out", "no replica set");
notHere("a write whose answer was lost is repeated once", "no replica set");

function whatStands(server: MongoServer): void {
  test("two nodes that open a new MongoDB database at once find the same store", async () => {
    await using database = server.database();
    const stores = await Promise.all([openAccountStore(database.url), openAccountStore(database.url)]);
    await stores[0].accounts.create(account(), "open");
    expect(await codeOfRejection(stores[1].accounts.create(account(), "open"))).toBe("name-taken");
    for (const store of stores) expect(await store.check()).toEqual([]);
    for (const store of stores) await store[Symbol.asyncDispose]();
  });

  test("a database that does not clear what expired is told of once, and changes nothing", async () => {
    await using database = server.database();
    const told: StoreTrouble[] = [];
    await using store = await openAccountStore(database.url, { onTrouble: (trouble) => told.push(trouble) });
    expect(told.map(({ event }) => event)).toEqual(server.kind === "ferretdb" ? ["no-expiry-index"] : []);
    expect(await store.check()).toEqual([]);
  });

  test("a device that was left half revoked counts as revoked, and frees its key and its slot", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    const laptop = device(randomBytes(16));
    for (let slot = 1; slot < 16; slot++) await store.devices.enrol(device(laptop.userId));
    await store.devices.enrol(laptop);
    await leaveHalfRevoked(database, laptop.deviceId, NOW_MS);
    expect(await store.devices.findByKey(laptop.key)).toBeNull();
    await leaveHalfRevoked(database, (await store.devices.list(laptop.userId))[0]?.deviceId ?? randomBytes(16), NOW_MS);
    const again = device(laptop.userId, { key: laptop.key, signKey: laptop.signKey });
    expect((await store.devices.enrol(again)).deviceId).toEqual(again.deviceId);
    expect(await store.devices.list(laptop.userId)).toHaveLength(15);
  });

  test("a device that was left half revoked does not come back when its revocation is swept", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    const laptop = device(randomBytes(16));
    await store.devices.enrol(laptop);
    await leaveHalfRevoked(database, laptop.deviceId, NOW_MS - DAY_MS);
    await store.sweep(NOW_MS);
    expect(await store.devices.find(laptop.deviceId)).toBeNull();
    expect(await store.devices.findByKey(laptop.key)).toBeNull();
  });

  test("the records have a device that was left half revoked once, as revoked", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    const [laptop, phone] = [device(randomBytes(16)), device(randomBytes(16))] as const;
    for (const each of [laptop, phone]) await store.devices.enrol(each);
    await leaveHalfRevoked(database, laptop.deviceId, NOW_MS);
    const idsOf = async (kind: "devices" | "revokedDevices") =>
      (await Array.fromAsync(store.records.read(kind))).map(({ deviceId }) => deviceId);
    expect(await idsOf("devices")).toEqual([phone.deviceId]);
    expect(await idsOf("revokedDevices")).toEqual([laptop.deviceId]);
  });

  test("the records end with an error at a document that is damaged", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    await store.accounts.create(account(), "open");
    await inside(database, (db) => db.collection("accounts").updateOne({ name: "ana" }, { $set: { inviteSlot: "0" } }));
    const error = await Array.fromAsync(store.records.read("accounts")).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "config", message: expect.stringContaining("(inviteSlot of the account is") });
  });

  test("openAccountStore() refuses a database of a newer schema and leaves it as it is", async () => {
    await using database = server.database();
    await (await openAccountStore(database.url))[Symbol.asyncDispose]();
    await inside(database, (db) =>
      db.collection<{ _id: string }>("meta").updateOne({ _id: "schema" }, { $set: { version: 9 } }),
    );
    const error = await openAccountStore(database.url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "config", message: expect.stringContaining("has schema 9, newer than the 1") });
  });

  test("check() names a unique index that is missing and a document that is damaged", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    await store.accounts.create(account(), "open");
    await inside(database, async (db) => {
      await db.collection("accounts").dropIndex("name");
      await db.collection("accounts").updateOne({ name: "ana" }, { $set: { passwordHash: 7 } });
    });
    const problems = ["the index name of accounts is missing", "a document of accounts has a damaged passwordHash"];
    expect(await store.check()).toEqual(problems);
  });
}

function whatStops(server: MongoServer, process: DatabaseProcess): void {
  test("bad input 185: while MongoDB is down each call is busy within 3 s, and its return is noticed", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    await store.accounts.create(account(), "open");
    await process.stop();
    for (let count = 0; count < 3; count++) await expectBusy(store); // long enough that the driver is made anew
    await process.start();
    expect((await eventually(() => store.accounts.find("ana")))?.name).toBe("ana");
    await store.accounts.create(account({ name: "ben" }), "open");
  });

  test("bad input 185: while MongoDB is silent each call is busy within 3 s, and its return is noticed", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    await store.accounts.create(account(), "open");
    await process.freeze();
    try {
      await expectBusy(store);
    } finally {
      process.thaw();
    }
    expect((await eventually(() => store.accounts.find("ana")))?.name).toBe("ana");
    expect(await codeOfRejection(store.accounts.create(account(), "open"))).toBe("name-taken");
  });

  test("bad input 185: sign-ups that MongoDB dies under all end, and leave whole accounts or none", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    const { inviteId } = invitation();
    await store.invitations.create(invitation({ inviteId, uses: 100 }));
    const wanted = Array.from({ length: 40 }, (_, index) => account({ name: `guest${index}` }));
    const work = wanted.map((each) =>
      codeOfRejection(within(TOLD_WITHIN_MS, store.accounts.create(each, { inviteId }))),
    );
    await Promise.any(work);
    await process.stop();
    const outcomes = await Promise.all(work);
    await process.start();
    expect(new Set(outcomes.filter((code) => code !== null))).toEqual(new Set(["busy"]));
    const found = await eventually(() => store.accounts.list({ limit: 100 }));
    for (const [index, each] of wanted.entries()) {
      const stored = found.find(({ name }) => name === each.name);
      if (outcomes[index] === null || stored !== undefined)
        expect(stored).toEqual({ ...each, invisible: false, blocked: false });
    }
    expect((await store.invitations.find(inviteId, NOW_MS))?.spent).toBe(found.length);
    expect(await store.check()).toEqual([]);
  });

  test("bad input 185: records that MongoDB dies under end with busy, in whatever state their batch was", async () => {
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    const block = () => ({ userId: randomBytes(16), blockedUserId: randomBytes(16) });
    const batch = () => store.records.add("blocks", Array.from({ length: 1_000 }, block));
    await batch();
    const outcomes = Promise.all([1, 2, 3].map(() => codeOfRejection(batch())));
    await process.stop();
    expect(new Set([...(await outcomes), await codeOfRejection(batch())])).toEqual(new Set(["busy"]));
    await process.start();
    await eventually(() => store.generation());
    const found = await Array.fromAsync(store.records.read("blocks"));
    expect(found.length).toBeGreaterThanOrEqual(1_000);
    expect(await store.check()).toEqual([]);
  });

  test("bad input 185: a MongoDB that refuses the user is told at opening, without the password", async () => {
    const url = server.url.replace("//", "//ana:hunter2@");
    const error = await openAccountStore(url).catch((reason: unknown) => reason);
    const message = expect.stringContaining("refuses the user or password");
    expect(error).toMatchObject({ code: "config", message });
    expect(Bun.inspect(error)).not.toContain("hunter2");
  });

  test("openAccountStore() of a MongoDB that is down says so, and never the password", async () => {
    await process.stop();
    const url = server.url.replace("//", "//ana:hunter2@");
    const error = await within(
      TOLD_WITHIN_MS,
      openAccountStore(url).catch((reason: unknown) => reason),
    );
    await process.start();
    expect(error).toMatchObject({ code: "busy", message: expect.stringContaining(`127.0.0.1:${process.port}`) });
    expect(Bun.inspect(error)).not.toContain("hunter2");
  });
}

function whatFillsUp(): void {
  test("bad input 185: a database without room left is told as that, and keeps what it has", async () => {
    const search = await startMongodb("max_page_count(60)");
    if ("missing" in search) throw new Error(search.missing);
    await using server = search.server;
    await using database = server.database();
    await using store = await openAccountStore(database.url);
    const enrolled: Uint8Array[] = [];
    const code = await codeOfRejection(enrolUntilFull(store, enrolled));
    expect(code).toBe("disk-full");
    expect(enrolled.length).toBeGreaterThan(0);
    for (const key of enrolled) expect((await store.devices.findByKey(key))?.key).toEqual(key);
  });
}

async function enrolUntilFull(store: AccountStore, enrolled: Uint8Array[]): Promise<never> {
  for (;;) {
    const { key } = await store.devices.enrol(device(randomBytes(16), { deviceList: randomBytes(4_096) }));
    enrolled.push(key);
  }
}

async function expectBusy(store: AccountStore): Promise<void> {
  const calls = [
    () => store.accounts.find("ana"),
    () => store.accounts.create(account({ name: "cyd" }), "open"),
    () => store.devices.findByKey(randomBytes(32)),
    () => store.accounts.setBlocked(randomBytes(16), true),
  ];
  const errors = await Promise.all(
    calls.map((call) =>
      within(
        TOLD_WITHIN_MS,
        call().catch((reason: unknown) => reason),
      ),
    ),
  );
  for (const error of errors)
    expect(error).toMatchObject({ name: StoreError.name, code: "busy", hint: "try again soon" });
}

/** Asks again as long as the store is busy. */
async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + BACK_WITHIN_MS; ;) {
    const answer = await ask().catch((error: unknown) => (error instanceof StoreError ? error : Promise.reject(error)));
    if (!(answer instanceof StoreError)) return answer;
    if (performance.now() > deadline) throw answer;
    await Bun.sleep(50);
  }
}

/** As a node leaves it that dies between the two steps. */
async function leaveHalfRevoked(database: MongoDatabase, deviceId: Uint8Array, revokedAtMs: number): Promise<void> {
  await inside(database, async (db) => {
    const found = await db.collection("devices").findOne({ _id: Buffer.from(deviceId) });
    await db.collection("revokedDevices").insertOne({ ...found, revokedAtMs });
  });
}

async function inside(
  database: MongoDatabase,
  work: (db: ReturnType<MongoClient["db"]>) => Promise<unknown>,
): Promise<void> {
  const client = new MongoClient(database.url);
  try {
    await work(client.db());
  } finally {
    await client.close();
  }
}
