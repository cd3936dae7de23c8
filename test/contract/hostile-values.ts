import { expect, test } from "bun:test";
import type { AccountStore } from "../../src/store/accounts.ts";
import type { AccountBackEnd } from "./account-store.ts";
import { account, device, invitation, NOW_MS, randomBytes } from "./samples.ts";

/** Text that means something to a database, a template or JavaScript. */
const queryText = [
  "' or '1'='1",
  "x'; drop table accounts; --",
  '"; delete from accounts; /*',
  "%",
  "_",
  "*",
  "?1",
  "$gt",
  "a.b.$where",
  '{"$gt":""}',
  "a\r\nDEL b",
  "a\0b",
];
const prototypeNames = ["__proto__", "constructor", "prototype", "hasownproperty", "valueof", "tostring"];

/** What a driver may take for a query of its own. Beyond the types on purpose: a schema further up could one day miss it. */
const operators: readonly unknown[] = [{ $gt: "" }, { $where: "1" }, ["ana"], 1, null, undefined, true, Symbol("ana")];

export function hostileValuesContract({ name: backEnd, place }: AccountBackEnd): void {
  const title = (claim: string) => `AccountStore (${backEnd}): ${claim}`;

  test(title("bad input 56: query text in a name is looked up, and stored, as it stands"), async () => {
    await using at = await place();
    const [{ accounts }] = at.nodes;
    const ana = account();
    await accounts.create(ana, "open");
    for (const name of queryText) expect(await accounts.find(name)).toBeNull();
    for (const name of queryText) await accounts.create(account({ name: name.toLowerCase() }), "open");
    for (const name of queryText) expect((await accounts.find(name.toLowerCase()))?.name).toBe(name.toLowerCase());
    expect((await accounts.find("ana"))?.userId).toEqual(ana.userId);
    expect(await accounts.list({ limit: 100 })).toHaveLength(queryText.length + 1);
  });

  test(title("bad input 56: query text in a label and a password hash comes back as it stands"), async () => {
    await using at = await place();
    const [{ accounts, devices }] = at.nodes;
    const ana = account();
    await accounts.create(ana, "open");
    for (const text of queryText) {
      await accounts.setPasswordHash(ana.userId, text);
      expect((await accounts.find("ana"))?.passwordHash).toBe(text);
      const laptop = device(randomBytes(16), { label: text });
      expect((await devices.enrol(laptop)).label).toBe(text);
    }
  });

  test(title("bad input 56: an operator in place of a value is a TypeError and finds nobody"), async () => {
    await using at = await place();
    const [store] = at.nodes;
    await store.accounts.create(account(), "open");
    for (const value of operators) {
      for (const attempt of attemptsWith(store, value)) {
        const outcome = await attempt().catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(TypeError);
      }
    }
    expect(await store.accounts.list({ limit: 10 })).toHaveLength(1);
  });

  test(title("ids, keys and lists of a wrong length are a TypeError and leave nothing"), async () => {
    await using at = await place();
    const [{ accounts, devices, invitations }] = at.nodes;
    const ana = randomBytes(16);
    const attempts = [
      () => accounts.create(account({ userId: randomBytes(15) }), "open"),
      () => accounts.create(account({ name: "a".repeat(65) }), "open"),
      () => accounts.create(account({ name: "a\ud800" }), "open"),
      () => accounts.create(account({ createdAtMs: Number.NaN }), "open"),
      () => devices.enrol(device(ana, { key: randomBytes(31) })),
      () => devices.enrol(device(ana, { signKey: randomBytes(33) })),
      () => devices.enrol(device(ana, { deviceList: randomBytes(4_097) })),
      () => devices.enrol(device(ana, { label: "x".repeat(65) })),
      () => invitations.create(invitation({ uses: 0 })),
      () => invitations.create(invitation({ uses: 10_001 })),
      () => invitations.create(invitation({ inviteId: randomBytes(16) })),
      () => accounts.list({ limit: 0 }),
      () => accounts.list({ limit: 1_001 }),
    ];
    for (const attempt of attempts) expect(await attempt().catch((error: unknown) => error)).toBeInstanceOf(TypeError);
    expect(await accounts.list({ limit: 10 })).toEqual([]);
    expect(await devices.list(ana)).toEqual([]);
    expect(await invitations.list(NOW_MS)).toEqual([]);
  });

  test(title("bad input 51: names that objects inherit are names like any other"), async () => {
    await using at = await place();
    const [{ accounts }] = at.nodes;
    for (const name of prototypeNames) expect(await accounts.find(name)).toBeNull();
    for (const name of prototypeNames) await accounts.create(account({ name }), "open");
    for (const name of prototypeNames) expect((await accounts.find(name))?.name).toBe(name);
    const listed = (await accounts.list({ limit: 100 })).map(({ name }) => name);
    expect(listed).toEqual(prototypeNames.toSorted());
    expect(Object.getOwnPropertyNames({})).toEqual([]);
  });
}

function attemptsWith(store: AccountStore, value: unknown): readonly (() => Promise<unknown>)[] {
  const text = value as string;
  const bytes = value as Uint8Array;
  const { accounts, devices, invitations, blocks, resets } = store;
  return [
    () => accounts.find(text),
    () => accounts.findById(bytes),
    () => accounts.create(account({ name: text }), "open"),
    () => accounts.create(account({ passwordHash: text }), "open"),
    () => accounts.create(account({ name: "ben" }), { inviteId: bytes }),
    () => accounts.setPasswordHash(bytes, "hash"),
    () => accounts.setPasswordHash(randomBytes(16), text),
    () => accounts.setBlocked(bytes, true),
    () => devices.find(bytes),
    () => devices.findByKey(bytes),
    () => devices.list(bytes),
    () => devices.revoke(bytes, randomBytes(16), NOW_MS),
    () => devices.revokeAll(bytes, NOW_MS),
    () => invitations.find(bytes, NOW_MS),
    () => blocks.add(randomBytes(16), bytes),
    () => blocks.isBlocked(bytes, randomBytes(16)),
    () => resets.redeem(bytes, NOW_MS),
  ];
}
