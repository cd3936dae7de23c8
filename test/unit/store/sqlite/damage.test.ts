import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { openAccountFile, SqliteAccountStore } from "../../../../src/store/sqlite/account-store.ts";
import { account, device, invitation, randomBytes } from "../../../contract/samples.ts";
import { Folder } from "./folder.ts";

/** Accounts and devices enough for several pages. @returns one of each */
async function fill(folder: Folder) {
  await using store = await openAccountFile(folder.file);
  for (let number = 0; number < 40; number++) {
    const guest = account({ name: `guest${number}` });
    await store.accounts.create(guest, "open");
    await store.devices.enrol(device(guest.userId, { deviceList: randomBytes(300) }));
  }
  const ana = account({ passwordHash: "$argon2id$v=19$m=19456,t=2,p=1$of-ana" });
  const laptop = device(ana.userId, { label: "laptop of ana", deviceList: randomBytes(300) });
  const invite = invitation({ uses: 5 });
  await store.accounts.create(ana, "open");
  await store.devices.enrol(laptop);
  await store.invitations.create(invite);
  return { ana, laptop, invite };
}

async function expectRefused(folder: Folder): Promise<void> {
  const before = folder.bytes();
  await expect(openAccountFile(folder.file)).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining(`cannot open the account store: ${folder.file} is `),
  });
  expect(folder.bytes()).toEqual(before);
}

test("bad input 181: a truncated account file is refused by name and left as it is", async () => {
  using folder = new Folder();
  await fill(folder);
  const { length } = folder.bytes();
  for (const kept of [length - 1, length - 4_096, Math.floor(length / 2), 4_096, 100, 50, 1, 0]) {
    truncateSync(folder.file, kept);
    await expectRefused(folder);
  }
});

test("bad input 181: a page of noise anywhere in an account file is refused, and the file left as it is", async () => {
  using folder = new Folder();
  await fill(folder);
  const sound = folder.bytes();
  for (let at = 0; at < sound.length; at += 4_096) {
    const damaged = sound.slice();
    damaged.set(randomBytes(4_096), at);
    writeFileSync(folder.file, damaged);
    await expectRefused(folder);
  }
  writeFileSync(folder.file, sound);
  await using store = await openAccountFile(folder.file);
  expect(await store.check()).toEqual([]);
});

test("bad input 181: one flipped bit in any value of an account, a device or an invitation is noticed", async () => {
  using folder = new Folder();
  const { ana, laptop, invite } = await fill(folder);
  const sound = Buffer.from(folder.bytes());
  const text = (value: string) => Buffer.from(value);
  const values = [ana.userId, text(ana.passwordHash), laptop.deviceId, laptop.key, laptop.signKey].concat(
    [text(laptop.label), laptop.deviceList, invite.inviteId].map((value) => new Uint8Array(value)),
  );
  for (const value of values) {
    const at = sound.indexOf(value);
    expect(at).toBeGreaterThan(0);
    for (let found = at; found >= 0; found = sound.indexOf(value, found + 1)) {
      const damaged = Buffer.from(sound);
      damaged.writeUInt8(damaged.readUInt8(found) ^ 1, found);
      writeFileSync(folder.file, damaged);
      await expectRefused(folder);
    }
  }
});

test("bad input 181: an account file of a newer schema is refused and left as it is", async () => {
  using folder = new Folder();
  await fill(folder);
  {
    using db = new Database(folder.file, { readwrite: true, create: false });
    db.run("PRAGMA user_version = 4096");
  }
  const before = folder.bytes();
  await expect(openAccountFile(folder.file)).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining(`${folder.file} has schema 4096, newer than the`),
    hint: "use the newer p2p",
  });
  expect(folder.bytes()).toEqual(before);
});

test("check() names what is wrong with a file that was damaged after it was opened", async () => {
  using folder = new Folder();
  const { ana } = await fill(folder);
  const damaged = Buffer.from(folder.bytes());
  damaged.write("!", damaged.indexOf(ana.passwordHash));
  writeFileSync(folder.file, damaged);
  const db = new Database(folder.file, { readwrite: true, create: false, strict: true });
  await using store = new SqliteAccountStore({ db, place: folder.file, busyWaitMs: 0 });
  expect(await store.check()).not.toEqual([]);
});
