import { expect, test } from "bun:test";
import { openAccountStore } from "../../../../src/store/open.ts";

test.each([
  "mongodb://",
  "mongodb://ana:hun@hunter2@db.example",
  "mongodb://ana:hunter2@db.example:99999999/p2p",
  "mongodb://ana:hunter2@db.example/p2p?maxPoolSize=hunter2",
  "mongodb://ana:hunter2@db.example/p2p?hunter2=1",
  "mongodb+srv://ana:hunter2@db.example:27017/p2p",
])("openAccountStore(%p) is refused and never repeated", async (url) => {
  const error = await openAccountStore(url).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "config", message: "cannot open the account store: its URL is not understood" });
  expect(Bun.inspect(error)).not.toMatch(/hunter2/);
});

test("openAccountStore() tells of a name without a database that it cannot be reached", async () => {
  const url = "mongodb+srv://ana:hunter2@db.invalid/p2p";
  const error = await openAccountStore(url).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "busy",
    message: expect.stringContaining("MongoDB at db.invalid (database p2p)"),
  });
  expect(Bun.inspect(error)).not.toContain("hunter2");
});
