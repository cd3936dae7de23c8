import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { UserError } from "../../../../src/modes/cli/errors.ts";
import { type Home, openHome } from "../../../../src/modes/peer/home.ts";
import { People } from "../../../../src/modes/peer/people.ts";
import { stranger } from "../../../../src/modes/peer/trust.ts";
import { temporaryFolder } from "../../../support/folder.ts";

const serverKey = new Uint8Array(32).fill(5);
const laptop = { id: new Uint8Array(16).fill(1), key: new Uint8Array(32).fill(2), signKey: new Uint8Array(32).fill(3) };
const foreign = {
  id: new Uint8Array(16).fill(4),
  key: new Uint8Array(32).fill(5),
  signKey: new Uint8Array(32).fill(6),
};
const list = new Uint8Array([1, 2]);

async function known(home: Home): Promise<People> {
  const people = new People(home, serverKey);
  await people.pin("bob", [laptop], list);
  return people;
}

function thrown(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    return error as UserError;
  }
  throw new Error("nothing was thrown");
}

test("somebody never met is a stranger, and asking writes nothing", () => {
  using folder = temporaryFolder();
  const people = new People(openHome(folder.path), serverKey);
  expect(people.find("bob")).toEqual(stranger("bob"));
  expect(people.judge("bob", [laptop]).firstContact).toBe(true);
  expect([people.list(), readdirSync(folder.path)]).toEqual([[], []]);
});

test("what is remembered is found again by another program of the same home, 0600 on disk", async () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  const people = await known(home);
  await people.markVerified("bob", laptop.key);
  await people.trust("bob", "files");
  await people.setBlocked("cat", true);
  const again = new People(home, serverKey);
  expect(again.find("bob")).toEqual({
    name: "bob",
    nick: null,
    blocked: false,
    trust: "files",
    devices: [{ ...laptop, state: "verified" }],
    deviceList: list,
  });
  expect(again.list().map(({ name, blocked }) => [name, blocked])).toEqual([
    ["bob", false],
    ["cat", true],
  ]);
  expect(statSync(home.people).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder.path)).toEqual(["people.json"]);
});

test("resetVerified() forgets the comparison, not the pin", async () => {
  using folder = temporaryFolder();
  const people = await known(openHome(folder.path));
  await people.markVerified("bob", laptop.key);
  await people.resetVerified("bob");
  expect(people.find("bob").devices).toEqual([{ ...laptop, state: "new" }]);
});

test("the same name on another server is somebody else", async () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  await known(home);
  const elsewhere = new People(home, new Uint8Array(32).fill(6));
  expect(elsewhere.find("bob")).toEqual(stranger("bob"));
  await elsewhere.pin("bob", [foreign], null);
  expect(new People(home, serverKey).judge("bob", [laptop, foreign])).toMatchObject({
    trusted: [laptop],
    changed: [foreign],
  });
});

test("an unknown device of a known person is on record as changed, and the rest stays", async () => {
  using folder = temporaryFolder();
  const people = await known(openHome(folder.path));
  await people.pin("bob", [laptop, foreign], null);
  expect(people.find("bob")).toMatchObject({ devices: [{ state: "new" }, { state: "changed" }], deviceList: list });
});

test("changes made at the same time are all kept", async () => {
  using folder = temporaryFolder();
  const home = openHome(folder.path);
  const names = Array.from({ length: 20 }, (_, index) => `user${index}`);
  await Promise.all(names.map((name) => new People(home, serverKey).setBlocked(name, true)));
  expect(new People(home, serverKey).list()).toHaveLength(20);
});

describe("bad input 172: a people file", () => {
  test.each([
    ["that is empty", ""],
    ["that is half written", '{"version":1,"servers":{"a":{"bob":{"nick":null,"blo'],
    ["that is a list", "[]"],
    ["without a version", '{"servers":{}}'],
    ["with a name that is none", '{"version":1,"servers":{"a":{"__proto__":{}}}}'],
    ["with a person that is none", '{"version":1,"servers":{"a":{"bob":7}}}'],
    ["with a pin that is none", pinned('{"id":"00","key":"00","signKey":"00","state":"new"}')],
    [
      "with a state that is none",
      pinned(`{"id":"${"00".repeat(16)}","key":"${"00".repeat(32)}","signKey":"${"00".repeat(32)}","state":"trusted"}`),
    ],
  ])("%s is kept aside, loudly, exit 8", (_, text) => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    writeFileSync(home.people, text);
    const error = thrown(() => new People(home, serverKey).find("bob"));
    expect(error).toMatchObject({ code: "unverified", hint: expect.stringContaining("compare safety numbers") });
    expect(readFileSync(`${home.people}.bad`, "utf8")).toBe(text);
    expect(existsSync(home.people)).toBe(false);
  });

  test("that is damaged again does not push the first one kept aside away", () => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    for (const text of ["first", "second", "third"]) {
      writeFileSync(home.people, text);
      thrown(() => new People(home, serverKey).list());
    }
    const kept = [".bad", ".bad-2", ".bad-3"].map((suffix) => readFileSync(home.people + suffix, "utf8"));
    expect(kept).toEqual(["first", "second", "third"]);
  });

  test("from a newer version is refused and stays as it is", async () => {
    using folder = temporaryFolder();
    const home = openHome(folder.path);
    writeFileSync(home.people, '{"version":2,"people":[]}');
    const people = new People(home, serverKey);
    expect(thrown(() => people.list())).toMatchObject({ code: "config", message: expect.stringContaining("newer") });
    await expect(people.setBlocked("bob", true)).rejects.toMatchObject({ code: "config" });
    expect(readFileSync(home.people, "utf8")).toBe('{"version":2,"people":[]}');
  });
});

function pinned(pin: string): string {
  return `{"version":1,"servers":{"a":{"bob":{"nick":null,"blocked":false,"trust":null,"devices":[${pin}],"deviceList":""}}}}`;
}
