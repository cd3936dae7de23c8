import { expect, test } from "bun:test";
import type { AccountBackEnd } from "./account-store.ts";
import { codeOfRejection, device, HOUR_MS, MINUTE_MS, NOW_MS, randomBytes } from "./samples.ts";

export function devicesContract({ name: backEnd, place }: AccountBackEnd): void {
  const title = (claim: string) => `AccountStore (${backEnd}): ${claim}`;

  test(title("an enrolled device is found by key, by id and in its owner's list"), async () => {
    await using at = await place();
    const laptop = device(randomBytes(16), { deviceList: randomBytes(4_096) });
    const stored = { ...laptop, lastSeenAtMs: NOW_MS, revokedAtMs: null };
    expect(await at.nodes[0].devices.enrol(laptop)).toEqual(stored);
    const { devices } = at.nodes[1];
    expect(await devices.findByKey(laptop.key)).toEqual(stored);
    expect(await devices.find(laptop.deviceId)).toEqual(stored);
    expect(await devices.list(laptop.userId)).toEqual([stored]);
    expect(await devices.list(randomBytes(16))).toEqual([]);
    expect(await devices.findByKey(laptop.signKey)).toBeNull();
  });

  test(title("list() of devices is oldest first and shows no revoked one"), async () => {
    await using at = await place();
    const [{ devices }] = at.nodes;
    const ana = randomBytes(16);
    for (const age of [1, 3, 2, 4])
      await devices.enrol(device(ana, { label: `age ${age}`, createdAtMs: NOW_MS - age }));
    const [oldest] = await devices.list(ana);
    expect(oldest?.label).toBe("age 4");
    await devices.revoke(ana, oldest?.deviceId ?? ana, NOW_MS);
    expect((await devices.list(ana)).map(({ label }) => label)).toEqual(["age 3", "age 2", "age 1"]);
  });

  test(title("bad input 72: a device key registered to one account is refused to another"), async () => {
    await using at = await place();
    const anas = device(randomBytes(16));
    await at.nodes[0].devices.enrol(anas);
    const bens = device(randomBytes(16), { key: anas.key, signKey: anas.signKey });
    expect(await codeOfRejection(at.nodes[1].devices.enrol(bens))).toBe("already-registered");
    expect((await at.nodes[1].devices.findByKey(anas.key))?.userId).toEqual(anas.userId);
  });

  test(title("enrolling the same keys again returns the device there is"), async () => {
    await using at = await place();
    const first = device(randomBytes(16));
    const stored = await at.nodes[0].devices.enrol(first);
    const again = device(first.userId, { key: first.key, signKey: first.signKey, label: "other" });
    expect(await at.nodes[1].devices.enrol(again)).toEqual(stored);
    expect(await at.nodes[1].devices.list(first.userId)).toHaveLength(1);
  });

  test(title("an enrolled key with another sign key is refused, also to its owner"), async () => {
    await using at = await place();
    const [{ devices }] = at.nodes;
    const first = device(randomBytes(16));
    await devices.enrol(first);
    expect(await codeOfRejection(devices.enrol(device(first.userId, { key: first.key })))).toBe("already-registered");
  });

  test(title("one key enrolled by many people on two nodes at once belongs to exactly one"), async () => {
    await using at = await place();
    const key = randomBytes(32);
    const attempts = Array.from({ length: 10 }, (_, index) =>
      codeOfRejection(at.nodes[index % 2 === 0 ? 0 : 1].devices.enrol(device(randomBytes(16), { key }))),
    );
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((code) => code === null)).toHaveLength(1);
    expect(outcomes.filter((code) => code === "already-registered")).toHaveLength(9);
  });

  test(title("bad input 73: an account has at most 16 devices, however many come at once"), async () => {
    await using at = await place();
    const ana = randomBytes(16);
    const attempts = Array.from({ length: 40 }, (_, index) =>
      codeOfRejection(at.nodes[index % 2 === 0 ? 0 : 1].devices.enrol(device(ana))),
    );
    const outcomes = await Promise.all(attempts);
    expect(outcomes.filter((code) => code === null)).toHaveLength(16);
    expect(outcomes.filter((code) => code === "limited")).toHaveLength(24);
    await at.nodes[0].devices.enrol(device(randomBytes(16)));
  });

  test(title("a revoked device makes room, and a present one is still returned when the account is full"), async () => {
    await using at = await place();
    const [{ devices }] = at.nodes;
    const ana = randomBytes(16);
    for (let count = 0; count < 16; count++) await devices.enrol(device(ana));
    const [first] = await devices.list(ana);
    if (first === undefined) throw new Error("nothing was enrolled");
    expect(await devices.enrol({ ...first, deviceId: randomBytes(16) })).toEqual(first);
    await devices.revoke(ana, first.deviceId, NOW_MS);
    await devices.enrol(device(ana));
    expect(await codeOfRejection(devices.enrol(device(ana)))).toBe("limited");
  });

  test(title("revoke() ends one device of one person, once"), async () => {
    await using at = await place();
    const [{ devices }, other] = at.nodes;
    const laptop = device(randomBytes(16));
    const phone = device(laptop.userId);
    await devices.enrol(laptop);
    await devices.enrol(phone);
    expect(await other.devices.revoke(randomBytes(16), laptop.deviceId, NOW_MS)).toBe(false);
    expect(await other.devices.revoke(laptop.userId, laptop.deviceId, NOW_MS)).toBe(true);
    expect(await devices.revoke(laptop.userId, laptop.deviceId, NOW_MS + 5)).toBe(false);
    expect(await devices.findByKey(laptop.key)).toBeNull();
    expect((await devices.find(laptop.deviceId))?.revokedAtMs).toBe(NOW_MS);
    expect((await devices.findByKey(phone.key))?.deviceId).toEqual(phone.deviceId);
  });

  test(title("a revoked key comes back under a new device id, and may go to another account"), async () => {
    await using at = await place();
    const [{ devices }] = at.nodes;
    const first = device(randomBytes(16));
    await devices.enrol(first);
    await devices.revoke(first.userId, first.deviceId, NOW_MS);
    const again = device(first.userId, { key: first.key, signKey: first.signKey });
    expect((await devices.enrol(again)).deviceId).toEqual(again.deviceId);
    expect((await devices.find(first.deviceId))?.revokedAtMs).toBe(NOW_MS);
    await devices.revoke(again.userId, again.deviceId, NOW_MS);
    const bens = device(randomBytes(16), { key: first.key, signKey: first.signKey });
    expect((await devices.enrol(bens)).userId).toEqual(bens.userId);
  });

  test(title("revokeAll() ends all of a person's devices, or all but one, and nobody else's"), async () => {
    await using at = await place();
    const [{ devices }, other] = at.nodes;
    const ana = randomBytes(16);
    const anas = [device(ana), device(ana), device(ana)] as const;
    const bens = device(randomBytes(16));
    for (const each of [...anas, bens]) await devices.enrol(each);
    const revoked = await devices.revokeAll(ana, NOW_MS, anas[1].deviceId);
    expect(new Set(revoked)).toEqual(new Set([anas[0].deviceId, anas[2].deviceId]));
    expect((await other.devices.list(ana)).map(({ deviceId }) => deviceId)).toEqual([anas[1].deviceId]);
    expect(await devices.revokeAll(ana, NOW_MS)).toEqual([anas[1].deviceId]);
    expect(await devices.revokeAll(ana, NOW_MS)).toEqual([]);
    expect(await other.devices.list(bens.userId)).toHaveLength(1);
  });

  test(title("revokeEveryone() leaves no device signed in"), async () => {
    await using at = await place();
    const [{ devices }, other] = at.nodes;
    const all = [device(randomBytes(16)), device(randomBytes(16)), device(randomBytes(16))];
    for (const each of all) await devices.enrol(each);
    expect(await devices.revokeEveryone(NOW_MS)).toBe(3);
    for (const { key } of all) expect(await other.devices.findByKey(key)).toBeNull();
    expect(await devices.revokeEveryone(NOW_MS)).toBe(0);
  });

  test(title("revokedSince() names what was revoked from then on, oldest first"), async () => {
    await using at = await place();
    const [{ devices }, other] = at.nodes;
    const all = [device(randomBytes(16)), device(randomBytes(16)), device(randomBytes(16))] as const;
    for (const each of all) await devices.enrol(each);
    const timesMs = [NOW_MS + 2, NOW_MS - 1, NOW_MS] as const;
    for (const [index, each] of all.entries()) await devices.revoke(each.userId, each.deviceId, timesMs[index] ?? 0);
    expect(await other.devices.revokedSince(NOW_MS)).toEqual([
      { deviceId: all[2].deviceId, userId: all[2].userId, revokedAtMs: NOW_MS },
      { deviceId: all[0].deviceId, userId: all[0].userId, revokedAtMs: NOW_MS + 2 },
    ]);
  });

  test(title("setDeviceList() replaces the list of an unrevoked device"), async () => {
    await using at = await place();
    const [{ devices }, other] = at.nodes;
    const laptop = device(randomBytes(16), { deviceList: randomBytes(40) });
    await devices.enrol(laptop);
    const newer = randomBytes(90);
    expect(await devices.setDeviceList(laptop.deviceId, newer)).toBe(true);
    expect((await other.devices.findByKey(laptop.key))?.deviceList).toEqual(newer);
    await devices.revoke(laptop.userId, laptop.deviceId, NOW_MS);
    expect(await devices.setDeviceList(laptop.deviceId, randomBytes(1))).toBe(false);
    expect(await devices.setDeviceList(randomBytes(16), newer)).toBe(false);
  });

  test(title("markSeen() keeps the hour alone, of many devices, and never goes back"), async () => {
    await using at = await place();
    const [{ devices }, other] = at.nodes;
    const all = [device(randomBytes(16)), device(randomBytes(16))] as const;
    for (const each of all) await devices.enrol(each);
    const ids = all.map(({ deviceId }) => deviceId);
    await devices.markSeen([...ids, randomBytes(16)], NOW_MS + HOUR_MS + 7 * MINUTE_MS);
    await devices.markSeen(ids, NOW_MS - HOUR_MS);
    for (const { key } of all) expect((await other.devices.findByKey(key))?.lastSeenAtMs).toBe(NOW_MS + HOUR_MS);
    await devices.markSeen([], NOW_MS);
  });
}
