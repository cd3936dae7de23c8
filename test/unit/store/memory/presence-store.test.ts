import { expect, test } from "bun:test";
import { MemoryPresenceStore } from "../../../../src/store/memory/presence-store.ts";
import type { PresenceChange } from "../../../../src/store/presence.ts";
import { channel, randomBytes } from "../../../contract/samples.ts";

test("what happens in one go is told in one call, without who left and came back meanwhile", async () => {
  await using store = new MemoryPresenceStore();
  const calls: (readonly PresenceChange[])[] = [];
  const ana = channel("ana");
  await store.add(ana);
  store.subscribe((changes) => calls.push(changes));
  await Promise.all([
    store.add(channel("ben")),
    store.remove(ana.deviceId, ana.connectionId),
    store.add(channel("cyd")),
    store.add({ ...ana, connectionId: randomBytes(16) }),
  ]);
  const told = calls.map((changes) => changes.map(({ name, online }) => `${name} ${online}`));
  expect(told).toEqual([["ben true", "cyd true"]]);
});

test("a channel that is added for another person leaves the first one", async () => {
  await using store = new MemoryPresenceStore();
  const ana = channel("ana");
  const ben = channel("ben", { deviceId: ana.deviceId, connectionId: ana.connectionId });
  await store.add(ana);
  await store.add(ben);
  expect(await store.isOnline(ana.userId)).toBe(false);
  expect(await store.online({ limit: 10 })).toEqual([{ userId: ben.userId, name: "ben" }]);
});
