import { expect, test } from "bun:test";
import { PagePool } from "../../../../src/wire/session/paged-bytes.ts";
import { ReceiveStream } from "../../../../src/wire/session/receive-stream.ts";

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);

test("ReceiveStream gives bytes in order only", () => {
  const stream = new ReceiveStream(1_000);
  expect(stream.onData(5, bytes(5, 2), true)).toBe(10);
  expect([stream.isReadable, stream.read()]).toEqual([false, null]);
  expect(stream.onData(0, bytes(5), false)).toBe(0);
  expect(stream.read()).toEqual(Uint8Array.of(1, 1, 1, 1, 1, 2, 2, 2, 2, 2));
  expect([stream.isDone, stream.isSettled]).toEqual([true, false]);
  stream.consume(10);
  expect(stream.isSettled).toBe(true);
});

test("ReceiveStream raises the credit only for what was consumed, by a quarter of the window at least", () => {
  const stream = new ReceiveStream(1_000);
  stream.onData(0, bytes(800), false);
  expect(stream.consume(800)).toBe(0); // nothing was read yet
  stream.read();
  expect([stream.consume(200), stream.raiseCredit(1_000), stream.creditEnd]).toEqual([200, false, 1_000]);
  expect([stream.consume(100), stream.raiseCredit(1_000), stream.creditEnd]).toEqual([100, true, 1_300]);
  expect(stream.consume(10_000)).toBe(500);
});

test("ReceiveStream gives as many times its window as it is told", () => {
  const stream = new ReceiveStream(1_000);
  stream.onData(0, bytes(400), false);
  stream.read();
  stream.consume(400);
  expect([stream.raiseCredit(1_500), stream.creditEnd]).toEqual([true, 1_900]);
});

test("ReceiveStream refuses bytes beyond its credit, however little they say", () => {
  const stream = new ReceiveStream(1_000);
  expect(() => stream.onData(1_000, bytes(1), false)).toThrow("credit");
  expect(() => stream.onData(Number.MAX_SAFE_INTEGER, bytes(1), false)).toThrow("credit");
  expect(() => stream.onReset(1_001)).toThrow("credit");
  expect(stream.onData(999, bytes(1), false)).toBe(1_000);
});

test("ReceiveStream counts what comes after stop() and keeps none of it", () => {
  const stream = new ReceiveStream(1_000);
  stream.onData(0, bytes(100), false);
  stream.stop();
  expect(stream.onData(100, bytes(50), true)).toBe(50);
  expect([stream.read(), stream.unconsumedBytes, stream.isDone]).toEqual([null, 150, true]);
  stream.consume(150);
  expect(stream.isSettled).toBe(true);
});

test("ReceiveStream counts a reset up to its final size", () => {
  const stream = new ReceiveStream(1_000);
  stream.onData(0, bytes(100), false);
  expect(stream.onReset(400)).toBe(300);
  expect([stream.read(), stream.isDone, stream.unconsumedBytes]).toEqual([null, true, 400]);
});

test("ReceiveStream leaves a view it gave out as it was", () => {
  const stream = new ReceiveStream(1_000);
  stream.onData(0, bytes(10, 1), false);
  const view = stream.read();
  stream.onData(0, bytes(20, 9), false);
  expect(view).toEqual(bytes(10, 1));
  expect(stream.read()).toEqual(bytes(10, 9));
});

test("ReceiveStream.read() of a stream with a pool holds until it is consumed, and then its memory is used again", () => {
  const stream = new ReceiveStream(1_000_000, new PagePool());
  const page = (value: number) => new Uint8Array(65_536).fill(value);
  stream.onData(0, page(1), false);
  const first = stream.read();
  stream.onData(65_536, page(2), false);
  stream.onData(131_072, page(3), false);
  expect(first).toEqual(page(1));
  const second = stream.read();
  stream.consume(65_536);
  stream.onData(196_608, page(4), false);
  expect(first).toEqual(page(4));
  expect(second).toEqual(page(2));
  expect([stream.read(), stream.read()]).toEqual([page(3), page(4)]);
});

test("ReceiveStream takes data that lies within a packet", () => {
  const stream = new ReceiveStream(1_000);
  stream.onData(2, Uint8Array.of(9, 9, 3, 4, 9), true, 2, 4);
  stream.onData(0, Uint8Array.of(9, 1, 2, 8, 9), false, 1, 4);
  expect(stream.read()).toEqual(Uint8Array.of(1, 2, 3, 4));
  expect(stream.isDone).toBe(true);
});
