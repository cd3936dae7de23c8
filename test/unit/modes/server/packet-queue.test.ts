import { expect, test } from "bun:test";
import fc from "fast-check";
import { PacketQueue } from "../../../../src/modes/server/packet-queue.ts";

test("PacketQueue gives back what came in, in order, with the weight of what is left", () => {
  const step = fc.oneof(fc.nat(2_000), fc.constant(null));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [queue, model]: [PacketQueue, Uint8Array[]] = [new PacketQueue(), []];
      for (const length of steps) {
        if (length === null) expect(queue.shift()).toBe(model.shift() ?? null);
        else model.push(new Uint8Array(length));
        if (length !== null) queue.push(model.at(-1) ?? new Uint8Array());
        expect(queue.isEmpty).toBe(model.length === 0);
        expect(queue.weightBytes).toBe(model.reduce((sum, each) => sum + Math.max(256, each.length), 0));
      }
    }),
  );
});

test("a cleared PacketQueue is as good as new", () => {
  const queue = new PacketQueue();
  for (let at = 0; at < 3; at++) queue.push(new Uint8Array(1_000));
  queue.clear();
  expect([queue.isEmpty, queue.weightBytes, queue.shift()]).toEqual([true, 0, null]);
});
