import { expect, test } from "bun:test";
import { channelOf } from "../../../../src/store/redis/entries.ts";
import { OwnChannels } from "../../../../src/store/redis/own-channels.ts";
import { Reconciler } from "../../../../src/store/redis/reconciler.ts";
import { channel } from "../../../contract/samples.ts";

test("what happens to a channel while it is being told of is told as well", async () => {
  const own = new OwnChannels();
  const ana = channel("ana");
  const told: string[] = [];
  const reconciler = new Reconciler(own, {
    add: async () => {
      told.push("add");
      own.remove(channelOf(ana));
      own.unsure.add(channelOf(ana)); // its removal did not get through
    },
    remove: async () => told.push("remove"),
    list: async () => [],
  });
  own.add(ana);
  own.unsure.add(channelOf(ana));
  await reconciler.settle();
  await reconciler.settle();
  await reconciler.settle();
  expect(told).toEqual(["add", "remove"]);
});

test("what could not be told stays in doubt", async () => {
  const own = new OwnChannels();
  const ana = channel("ana");
  const reconciler = new Reconciler(own, {
    add: () => Promise.reject(new RangeError("away")),
    remove: async () => 1,
    list: async () => [],
  });
  own.add(ana);
  await expect(reconciler.compare("node-a")).rejects.toBeInstanceOf(RangeError);
  expect([...own.unsure]).toEqual([channelOf(ana)]);
});
