import { expect, test } from "bun:test";
import fc from "fast-check";
import { ReceiveStream } from "../../../../src/wire/session/receive-stream.ts";
import { SendStream } from "../../../../src/wire/session/send-stream.ts";
import type { StreamChunk } from "../../../../src/wire/session/sent-packets.ts";

const all = Number.POSITIVE_INFINITY;

test("SendStream sends what was written in order, and the end with the last byte", () => {
  const stream = new SendStream(4, 1_000);
  stream.write(new Uint8Array(150));
  stream.finish();
  expect(stream.nextChunk(100, all)).toEqual({ stream: 4, offset: 0, length: 100, fin: false });
  expect(stream.nextChunk(100, all)).toEqual({ stream: 4, offset: 100, length: 50, fin: true });
  expect(stream.nextChunk(100, all)).toBeNull();
  expect(stream.hasPending(all)).toBe(false);
});

test("SendStream sends an end that comes later by itself, and again when it is lost", () => {
  const stream = new SendStream(4, 1_000);
  stream.write(new Uint8Array(10));
  stream.nextChunk(100, all);
  stream.finish();
  const end = { stream: 4, offset: 10, length: 0, fin: true };
  expect(stream.nextChunk(100, all)).toEqual(end);
  stream.onLost(end);
  expect(stream.nextChunk(100, all)).toEqual(end);
  stream.onAcked(end);
  expect(stream.isDone).toBe(false);
  stream.onAcked({ stream: 4, offset: 0, length: 10, fin: false });
  expect(stream.isDone).toBe(true);
});

test("SendStream stays within the stream's credit and what the session allows", () => {
  const stream = new SendStream(4, 100);
  stream.write(new Uint8Array(500));
  expect(stream.nextChunk(1_000, 30)?.length).toBe(30);
  expect(stream.nextChunk(1_000, all)?.length).toBe(70);
  expect(stream.nextChunk(1_000, all)).toBeNull();
  stream.raiseCredit(50);
  expect(stream.hasPending(all)).toBe(false);
  stream.raiseCredit(120);
  expect(stream.nextChunk(1_000, all)).toEqual({ stream: 4, offset: 100, length: 20, fin: false });
  expect(stream.sentEnd).toBe(120);
});

test("SendStream forgets everything at a reset", () => {
  const stream = new SendStream(4, 1_000);
  stream.write(new Uint8Array(500));
  const chunk = stream.nextChunk(100, all);
  stream.reset(3);
  if (chunk !== null) stream.onLost(chunk);
  expect([stream.hasPending(all), stream.bufferedBytes, stream.isClosed, stream.isDone]).toEqual([
    false,
    0,
    true,
    false,
  ]);
  stream.onResetAcked();
  expect(stream.isDone).toBe(true);
});

test("what SendStream sends, however it is lost, doubled and shuffled, ReceiveStream reads as it was written", () => {
  const step = fc.record({ max: fc.integer({ min: 1, max: 400 }), fate: fc.nat(9), seen: fc.boolean() });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.array(step, { minLength: 5, maxLength: 60 }),
      (content, steps) => {
        const [from, to] = [new SendStream(4, 5_000), new ReceiveStream(5_000)];
        from.write(content);
        from.finish();
        const read: Uint8Array[] = [];
        const late: StreamChunk[] = [];
        const deliver = (chunk: StreamChunk) => {
          const data = new Uint8Array(chunk.length);
          from.copyTo(chunk, data, 0);
          to.onData(chunk.offset, data, chunk.fin);
          for (let part = to.read(); part !== null; part = to.read()) read.push(part);
        };
        for (let turn = 0; !to.isDone || !from.isDone; turn++) {
          const { max, fate, seen } = steps[turn % steps.length] ?? { max: 100, fate: 9, seen: true };
          const chunk = from.nextChunk(max, all);
          const isKind = turn > 500;
          if (chunk !== null && (fate >= 3 || isKind)) deliver(chunk);
          if (chunk !== null && ((fate >= 3 && seen) || isKind)) from.onAcked(chunk);
          else if (chunk !== null) late.push(chunk);
          if (chunk === null || late.length > 5) for (const each of late.splice(0).toReversed()) from.onLost(each);
        }
        expect(Buffer.concat(read).equals(content)).toBe(true);
        expect(from.bufferedBytes).toBe(0);
      },
    ),
    { numRuns: 300 },
  );
});
