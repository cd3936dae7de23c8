import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Delivery } from "../../../../src/store/bus.ts";
import { Outbox, pack, unpack } from "../../../../src/store/redis/outbox.ts";

const message = fc.uint8Array({ maxLength: 40 });

test("unpack() gives what pack() was given", () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      expect(unpack(pack(messages))).toEqual(messages);
    }),
  );
});

test("unpack() of anything else gives nothing, and never throws", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const messages = unpack(bytes);
      if (messages.length > 0) expect(pack(messages)).toEqual(bytes);
    }),
  );
  for (const bytes of ["00", "00000001", "ffffffff00", "0000000101 02".replace(" ", ""), "00010001"])
    expect(unpack(Uint8Array.fromHex(bytes))).toEqual([]);
  expect(unpack(pack([new Uint8Array(65_537)]))).toEqual([]);
  expect(unpack(new Uint8Array(262_148))).toEqual([]);
});

test("Outbox sends one pack at a time, and what comes meanwhile together in the next", async () => {
  const packs: Uint8Array[] = [];
  const replies: PromiseWithResolvers<Delivery>[] = [];
  const outbox = new Outbox((pack) => {
    packs.push(pack);
    const reply = Promise.withResolvers<Delivery>();
    replies.push(reply);
    return reply.promise;
  });
  const heard = [1, 2, 3].map((byte) => outbox.publish(Uint8Array.of(byte)));
  expect(packs.map(unpack)).toEqual([[Uint8Array.of(1)]]);
  replies[0]?.resolve("heard");
  expect(await heard[0]).toBe("heard");
  expect(packs.slice(1).map(unpack)).toEqual([[Uint8Array.of(2), Uint8Array.of(3)]]);
  replies[1]?.resolve("nobody");
  expect(await Promise.all(heard.slice(1))).toEqual(["nobody", "nobody"]);
});

test("Outbox refuses what a node that does not take it cannot get", async () => {
  const outbox = new Outbox(() => new Promise<never>(() => {}));
  const large = new Uint8Array(65_536);
  const answers = Array.from({ length: 100 }, () => outbox.publish(large));
  expect(await Promise.race(answers)).toBe("away");
  expect(outbox.isEmpty).toBe(false);
});

test("Outbox fails as the sending does, and goes on", async () => {
  let calls = 0;
  const outbox = new Outbox(async () => {
    if (++calls === 1) throw new RangeError("own");
    return "heard";
  });
  const [first, second] = [outbox.publish(Uint8Array.of(1)), outbox.publish(Uint8Array.of(2))];
  await expect(first).rejects.toBeInstanceOf(RangeError);
  expect(await second).toBe("heard");
  expect(outbox.isEmpty).toBe(true);
});
