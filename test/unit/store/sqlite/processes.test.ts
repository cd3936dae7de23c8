import { expect, test } from "bun:test";
import { openAccountFile } from "../../../../src/store/sqlite/account-store.ts";
import { account } from "../../../contract/samples.ts";
import { Folder } from "./folder.ts";
import { OtherProcess } from "./other-process.ts";

test("bad input 182: kill -9 during writes, 10 rounds, loses no acknowledged account or device", async () => {
  using folder = new Folder();
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    await using writer = new OtherProcess("write", folder.file);
    await writer.lines(3 + round);
    acknowledged.push(...(await writer.kill()));
    await using store = await openAccountFile(folder.file);
    expect(await store.check()).toEqual([]);
    for (const line of acknowledged) {
      const [name = "", key = ""] = line.split(" ");
      const guest = await store.accounts.find(name);
      const laptop = await store.devices.findByKey(Uint8Array.fromHex(key));
      expect(guest).not.toBeNull();
      expect(laptop?.userId).toEqual(guest?.userId ?? new Uint8Array());
    }
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(75);
});

test("bad input 67: of two processes after the same hundred names and device keys, each goes to exactly one", async () => {
  using folder = new Folder();
  await using one = new OtherProcess("sign-up", folder.file);
  await using two = new OtherProcess("sign-up", folder.file);
  await Promise.all([one.lines(1), two.lines(1)]);
  const got = (await Promise.all([one.goOn(), two.goOn()])).flatMap((lines) => lines.slice(1));
  const all = Array.from({ length: 100 }, (_, number) => [`name ${number}`, `key ${number}`]).flat();
  expect(got.toSorted()).toEqual(all.toSorted());
});

test("bad input 181: a write while another process holds the file goes on when it lets go", async () => {
  using folder = new Folder();
  await using store = await openAccountFile(folder.file, { busyWaitMs: 15_000 });
  await using holder = new OtherProcess("hold", folder.file);
  await holder.lines(1);
  const writing = store.accounts.create(account(), "open");
  expect(await store.accounts.find("ana")).toBeNull();
  await holder.goOn();
  await writing;
  expect((await store.accounts.find("ana"))?.name).toBe("ana");
});

test("bad input 181: a write fails with the file named when another process never lets go", async () => {
  using folder = new Folder();
  await using store = await openAccountFile(folder.file, { busyWaitMs: 0 });
  await using holder = new OtherProcess("hold", folder.file);
  await holder.lines(1);
  const locked = { code: "busy", message: expect.stringContaining(`${folder.file} is locked by another process`) };
  await expect(store.accounts.create(account(), "open")).rejects.toMatchObject(locked);
  await expect(openAccountFile(folder.file, { busyWaitMs: 0 })).rejects.toMatchObject(locked);
  await holder.goOn();
  await store.accounts.create(account(), "open");
});
