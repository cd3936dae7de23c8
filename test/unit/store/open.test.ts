import { expect, test } from "bun:test";
import { openAccountStore, openSharedStores } from "../../../src/store/open.ts";

test("openAccountStore() names the schemes there are when it meets another", async () => {
  for (const url of ["redis://127.0.0.1", "constructor:", "prototype:x", "mysql:accounts"]) {
    await expect(openAccountStore(url)).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("is unknown"),
      hint: "use sqlite:PATH or mongodb://… or memory:",
    });
  }
});

test("openSharedStores() names the schemes there are when it meets another", async () => {
  for (const url of ["sqlite:presence.db", "redis+tunnel://127.0.0.1", "http://127.0.0.1"]) {
    const found = { code: "config", hint: "use redis://… or memory:" };
    await expect(openSharedStores(url)).rejects.toMatchObject(found);
  }
});

test("openAccountStore() never repeats what may be a password", async () => {
  for (const url of ["other://ana:hunter2@example.org/p2p", "hunter2", "memory:hunter2"]) {
    const error = await openAccountStore(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "config" });
    expect(String(error)).not.toContain("hunter2");
  }
});

test("openAccountStore() refuses a URL without a scheme or without a place", async () => {
  for (const url of ["", "accounts.db", "/var/lib/p2p/accounts.db", "sqlite:"]) {
    await expect(openAccountStore(url)).rejects.toMatchObject({ code: "config" });
  }
});

test("openAccountStore() takes the scheme in any case", async () => {
  await using store = await openAccountStore("MEMORY:");
  expect(await store.check()).toEqual([]);
});
