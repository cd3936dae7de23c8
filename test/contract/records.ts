import { expect, test } from "bun:test";
import type { AccountStore } from "../../src/store/accounts.ts";
import { openAccountStore } from "../../src/store/open.ts";
import { keyOf, kindsInOrder, lineOf, type RecordKind, type Row } from "../../src/store/records.ts";
import { compareBytes } from "../../src/wire/bytes.ts";
import type { AccountBackEnd } from "./account-store.ts";
import { account, codeOfRejection, device, HOUR_MS, invitation, NOW_MS, randomBytes } from "./samples.ts";

/** A whole store as records, out of one and into another, whatever the other is. */
export function recordsContract({ name: backEnd, place }: AccountBackEnd): void {
  const title = (claim: string) => `AccountStore (${backEnd}): ${claim}`;

  test(title("a store that took another's records answers as that one did"), async () => {
    await using from = await place();
    await using memory = await openAccountStore("memory:");
    await using to = await place();
    const people = await fill(from.nodes[0]);
    await copy(from.nodes[1], memory);
    await copy(memory, to.nodes[0]);
    for (const store of [memory, to.nodes[1]]) {
      expect(await linesIn(store)).toEqual(await linesIn(from.nodes[1]));
      expect(await store.check()).toEqual([]);
      await expectAllIn(store, people);
    }
  });

  test(title("records come each once, in byte order of their keys, also of thousands"), async () => {
    await using at = await place();
    const rows = Array.from({ length: 2_500 }, () => ({ userId: randomBytes(16), blockedUserId: randomBytes(16) }));
    for (let start = 0; start < rows.length; start += 1_000)
      await at.nodes[0].records.add("blocks", rows.slice(start, start + 1_000));
    const found = await Array.fromAsync(at.nodes[1].records.read("blocks"));
    const key = (row: Row) => keyOf("blocks", row);
    expect(found).toEqual(rows.toSorted((one, other) => compareBytes(key(one), key(other))));
  });

  test(title("add() passes over what is there already, the very same"), async () => {
    await using source = await openAccountStore("memory:");
    await using at = await place();
    await fill(source);
    await copy(source, at.nodes[0]);
    await copy(source, at.nodes[1]);
    expect(await linesIn(at.nodes[0])).toEqual(await linesIn(source));
  });

  test(title("add() refuses what has another record in its place, and overwrites nothing"), async () => {
    await using source = await openAccountStore("memory:");
    await using at = await place();
    await fill(source);
    await copy(source, at.nodes[0]);
    const before = await linesIn(at.nodes[1]);
    for (const [kind, change] of otherRecords) {
      const [row] = await Array.fromAsync(at.nodes[1].records.read(kind));
      if (row === undefined) throw new Error(`no record of ${kind}`);
      expect([kind, await codeOfRejection(at.nodes[1].records.add(kind, [{ ...row, ...change() }]))]).toEqual([
        kind,
        "config",
      ]);
    }
    expect(await linesIn(at.nodes[0])).toEqual(before);
  });

  test(title("add() makes no revoked device whole again, and revokes none"), async () => {
    await using at = await place();
    const [{ devices, records }] = at.nodes;
    const laptop = device(randomBytes(16));
    const phone = device(laptop.userId);
    for (const each of [laptop, phone]) await devices.enrol(each);
    await devices.revoke(laptop.userId, laptop.deviceId, NOW_MS);
    const [revoked] = await Array.fromAsync(records.read("revokedDevices"));
    const [present] = await Array.fromAsync(records.read("devices"));
    if (revoked === undefined || present === undefined) throw new Error("a device is missing");
    const { revokedAtMs, ...asEnrolled } = revoked;
    expect(revokedAtMs).toBe(NOW_MS);
    expect(await codeOfRejection(records.add("devices", [asEnrolled]))).toBe("config");
    expect(await codeOfRejection(records.add("revokedDevices", [{ ...present, revokedAtMs: NOW_MS }]))).toBe("config");
    expect(await devices.findByKey(laptop.key)).toBeNull();
    expect((await devices.findByKey(phone.key))?.deviceId).toEqual(phone.deviceId);
  });

  test(title("add() takes records of the right shape alone"), async () => {
    await using at = await place();
    const [{ records }] = at.nodes;
    const good = { userId: randomBytes(16), blockedUserId: randomBytes(16) };
    const operator = { $gt: "" } as unknown as Uint8Array;
    const { blockedUserId, ...short } = good;
    for (const row of [{ ...good, userId: blockedUserId.subarray(1) }, { ...good, userId: operator }, short])
      expect(await records.add("blocks", [row]).catch((error: unknown) => error)).toBeInstanceOf(TypeError);
    const wide = records.add("blocks", [{ ...good, more: 1 }]).catch((error: unknown) => error);
    expect(await wide).toBeInstanceOf(TypeError);
    expect(await Array.fromAsync(records.read("blocks"))).toEqual([]);
  });
}

/** Each takes a place that is taken: under the same key, or where a name, a slot or a device key may be once only. */
const otherRecords: readonly (readonly [RecordKind, () => Row])[] = [
  ["accounts", () => ({ passwordHash: "another" })],
  ["accounts", () => ({ userId: randomBytes(16), inviteId: randomBytes(32) })],
  ["accounts", () => ({ userId: randomBytes(16), name: "zoe" })],
  ["devices", () => ({ lastSeenAtMs: NOW_MS + HOUR_MS })],
  ["devices", () => ({ deviceId: randomBytes(16), slot: 15 })],
  ["devices", () => ({ deviceId: randomBytes(16), key: randomBytes(32) })],
  ["revokedDevices", () => ({ revokedAtMs: NOW_MS + 1 })],
  ["invitations", () => ({ uses: 9 })],
  ["resets", () => ({ userId: randomBytes(16) })],
  ["redeemedResets", () => ({ expiresAtMs: NOW_MS })],
];

/** Some of everything, in each state that it can be in. */
async function fill(store: AccountStore) {
  const invite = invitation({ uses: 4, createdBy: randomBytes(16) });
  await store.invitations.create(invite);
  await store.invitations.create(invitation());
  const people = ["ana", "ben", "cyd"].map((name) => account({ name, passwordHash: `$argon2id$${name}` }));
  const [ana, ben, cyd] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
  for (const each of [ana, ben]) await store.accounts.create(each, { inviteId: invite.inviteId });
  await store.accounts.create(cyd, "open");
  await store.accounts.setInvisible(ben.userId, true);
  await store.accounts.setBlocked(cyd.userId, true);
  const anas = [
    device(ana.userId),
    device(ana.userId),
    device(ana.userId, { deviceList: randomBytes(4_096) }),
  ] as const;
  for (const each of anas) await store.devices.enrol(each);
  await store.devices.markSeen([anas[2].deviceId], NOW_MS + 2 * HOUR_MS);
  await store.devices.revoke(ana.userId, anas[0].deviceId, NOW_MS);
  const again = device(ana.userId, { key: anas[0].key, signKey: anas[0].signKey });
  await store.devices.enrol(again);
  await store.blocks.add(ana.userId, ben.userId);
  await store.blocks.add(cyd.userId, ana.userId);
  const [open, spent] = [randomBytes(32), randomBytes(32)] as const;
  for (const tokenHash of [open, spent])
    await store.resets.create({ tokenHash, userId: ben.userId, expiresAtMs: NOW_MS + HOUR_MS });
  await store.resets.redeem(spent, NOW_MS);
  return { inviteId: invite.inviteId, ana, ben, cyd, anas, again, open, spent };
}

/** In batches of two, so that there are some. */
async function copy(from: AccountStore, to: AccountStore): Promise<void> {
  for (const kind of kindsInOrder) {
    const rows = await Array.fromAsync(from.records.read(kind));
    for (let start = 0; start < rows.length; start += 2) await to.records.add(kind, rows.slice(start, start + 2));
  }
}

async function linesIn(store: AccountStore): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const kind of kindsInOrder)
    for await (const row of store.records.read(kind)) lines.push(`${kind} ${lineOf(kind, row)}`);
  return lines;
}

/** Spends what can be spent, too. */
async function expectAllIn(store: AccountStore, people: Awaited<ReturnType<typeof fill>>): Promise<void> {
  const { ana, ben, cyd, anas, again, inviteId, open, spent } = people;
  expect(await store.accounts.find("ana")).toEqual({ ...ana, invisible: false, blocked: false });
  expect(await store.accounts.findById(ben.userId)).toEqual({ ...ben, invisible: true, blocked: false });
  expect(await store.accounts.find("cyd")).toEqual({ ...cyd, invisible: false, blocked: true });
  expect((await store.devices.find(anas[0].deviceId))?.revokedAtMs).toBe(NOW_MS);
  expect((await store.devices.findByKey(anas[0].key))?.deviceId).toEqual(again.deviceId);
  const third = { ...anas[2], lastSeenAtMs: NOW_MS + 2 * HOUR_MS, revokedAtMs: null };
  expect(await store.devices.find(anas[2].deviceId)).toEqual(third);
  expect(await store.devices.revokedSince(0)).toHaveLength(1);
  expect(await store.blocks.isBlocked(ana.userId, ben.userId)).toBe(true);
  expect(await store.blocks.list(cyd.userId)).toEqual([ana.userId]);
  expect(await store.resets.redeem(spent, NOW_MS)).toBeNull();
  expect(await store.resets.redeem(open, NOW_MS)).toEqual(ben.userId);
  expect((await store.invitations.find(inviteId, NOW_MS))?.spent).toBe(2);
  for (const name of ["dan", "eva"]) await store.accounts.create(account({ name }), { inviteId });
  expect(await codeOfRejection(store.accounts.create(account({ name: "fay" }), { inviteId }))).toBe("bad-invite");
  for (let count = 0; count < 13; count++) await store.devices.enrol(device(ana.userId));
  expect(await codeOfRejection(store.devices.enrol(device(ana.userId)))).toBe("limited");
}
