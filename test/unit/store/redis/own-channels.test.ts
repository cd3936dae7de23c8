import { expect, test } from "bun:test";
import { channelOf } from "../../../../src/store/redis/entries.ts";
import { OwnChannels } from "../../../../src/store/redis/own-channels.ts";
import { channel, NOW_MS, randomBytes } from "../../../contract/samples.ts";

test("OwnChannels finds a person's channels, in ringing order, until they are removed", () => {
  const own = new OwnChannels();
  const userId = randomBytes(16);
  const later = channel("ana", { userId, sinceMs: NOW_MS + 1 });
  const earlier = channel("ana", { userId, invisible: true });
  for (const entry of [later, earlier, channel("ben")]) own.add(entry);
  expect(own.ofPerson(userId)).toEqual([earlier, later]);
  expect(own.isShown(userId)).toBe(true);
  expect(own.remove(channelOf(later))).toEqual(later);
  expect(own.remove(channelOf(later))).toBeUndefined();
  expect(own.ofPerson(userId)).toEqual([earlier]);
  expect(own.isShown(userId)).toBe(false);
  own.remove(channelOf(earlier));
  expect(own.ofPerson(userId)).toEqual([]);
});

test("OwnChannels forgets the person whose channel another takes over", () => {
  const own = new OwnChannels();
  const ana = channel("ana");
  const ben = channel("ben", { deviceId: ana.deviceId, connectionId: ana.connectionId });
  own.add(ana);
  own.add(ben);
  expect(own.ofPerson(ana.userId)).toEqual([]);
  expect(own.ofPerson(ben.userId)).toEqual([ben]);
});

test("OwnChannels gives pages of the visible, each once, by name", () => {
  const own = new OwnChannels();
  const cyd = channel("cyd");
  for (const entry of [
    cyd,
    channel("ana"),
    channel("ben", { invisible: true }),
    channel("cyd", { userId: cyd.userId }),
  ]) {
    own.add(entry);
  }
  own.add(channel("dan", { nodeId: "node-b" }));
  expect(own.page({ limit: 2 }).map(({ name }) => name)).toEqual(["ana", "cyd"]);
  expect(own.page({ after: "cyd", limit: 2 }).map(({ name }) => name)).toEqual(["dan"]);
  expect(own.nodes()).toEqual(["node-a", "node-b"]);
  expect(own.ofNode("node-b").map(({ name }) => name)).toEqual(["dan"]);
});

test("what Redis could not be told stands above what it says", () => {
  const own = new OwnChannels();
  const userId = randomBytes(16);
  const [kept, changed, gone] = [
    channel("ana", { userId }),
    channel("ana", { userId }),
    channel("ana", { userId }),
  ] as const;
  const now = { ...changed, answers: 0, sinceMs: NOW_MS + 5 };
  own.add(now);
  for (const entry of [changed, gone]) own.unsure.add(channelOf(entry));
  expect(own.amendEntries(userId, [kept, changed, gone])).toEqual([kept, now]);
  const people = [{ userId: randomBytes(16), name: "ben" }];
  expect(own.amendPage({ limit: 5 }, people)).toEqual([{ userId, name: "ana" }, ...people]);
  expect(own.amendPage({ limit: 1 }, people)).toEqual([{ userId, name: "ana" }]);
  own.unsure.clear();
  expect(own.amendPage({ limit: 5 }, people)).toEqual(people);
});
