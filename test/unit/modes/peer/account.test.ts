import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import {
  type Account,
  readAccount,
  removeAccount,
  requireAccount,
  saveAccount,
} from "../../../../src/modes/peer/account.ts";
import { openHome } from "../../../../src/modes/peer/home.ts";
import { temporaryFolder } from "../../../support/folder.ts";

const account: Account = {
  name: "ana",
  userId: new Uint8Array(16).fill(1),
  deviceId: new Uint8Array(16).fill(2),
  label: "desk “Ω”",
  server: { secure: false, nodes: [{ host: "::1", port: 7420 }], key: new Uint8Array(32).fill(3), invite: null },
};

test("saveAccount() keeps what readAccount() gives back, 0600", async () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  expect(readAccount(home)).toBeNull();
  await saveAccount(home, account);
  expect(readAccount(home)).toEqual(account);
  expect(statSync(home.account).mode & 0o777).toBe(0o600);
});

test("saveAccount() never keeps an invitation", async () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  const withInvite = { ...account.server, invite: new Uint8Array(16).fill(9) } as unknown as Account["server"];
  await saveAccount(home, { ...account, server: withInvite });
  expect(readFileSync(home.account, "utf8")).toMatch(/#[a-z2-7]{52}"/);
});

test("requireAccount() says that nobody is signed in, after removeAccount() too", async () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  expect(() => requireAccount(home)).toThrow(expect.objectContaining({ code: "not-signed-in" }));
  await saveAccount(home, account);
  expect(requireAccount(home).name).toBe("ana");
  await removeAccount(home);
  await removeAccount(home);
  expect(readAccount(home)).toBeNull();
});

test.each([
  ["nothing", ""],
  ["half of it", '{"version":1,"name":"an'],
  ["another version", '{"version":2}'],
  ["a bad name", '{"version":1,"name":"a!"}'],
  ["a server without a key", JSON.stringify(stored("p2p://h:1/"))],
  ["a server of another kind", JSON.stringify(stored("http://h:1/"))],
])("an account file that holds %s is refused with its name and a way out", async (_, text) => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  writeFileSync(home.account, text);
  const problem = expect.objectContaining({ code: "config", hint: expect.stringContaining("restore") });
  expect(() => readAccount(home)).toThrow(problem);
  expect(() => readAccount(home)).toThrow(home.account);
  await removeAccount(home);
  expect(readAccount(home)).toBeNull();
});

function stored(server: string): object {
  return { version: 1, name: "ana", userId: "01".repeat(16), deviceId: "02".repeat(16), label: "desk", server };
}
