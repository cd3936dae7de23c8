import { expect, test } from "bun:test";
import type { Frame } from "../../../../src/wire/messages/session.ts";
import { ControlQueue } from "../../../../src/wire/session/control-queue.ts";

const any = () => true;

test("ControlQueue gives a frame once, again when it is lost, and not when it was acknowledged meanwhile", () => {
  const [queue, frame]: [ControlQueue, Frame] = [new ControlQueue(), { kind: "ping" }];
  queue.add(frame);
  expect(queue.take(100, any)?.frame).toBe(frame);
  expect(queue.take(100, any)).toBeNull();
  queue.onLost(frame);
  queue.onLost(frame);
  expect(queue.take(100, any)?.frame).toBe(frame);
  expect(queue.take(100, any)).toBeNull();
  expect([queue.onAcked(frame), queue.onAcked(frame)]).toEqual([true, false]);
  queue.onLost(frame);
  expect(queue.isEmpty).toBe(true);
});

test("ControlQueue passes over what does not fit or is not allowed", () => {
  const queue = new ControlQueue();
  const [long, short]: Frame[] = [{ kind: "rekey", epoch: 1, handshake: new Uint8Array(100) }, { kind: "ping" }];
  if (long === undefined || short === undefined) throw new Error("no frames");
  queue.add(long);
  queue.add(short);
  expect(queue.take(50, any)?.frame).toBe(short);
  expect(queue.hasAllowed(({ kind }) => kind === "ping")).toBe(false);
  expect(queue.take(200, ({ kind }) => kind === "rekey")?.frame).toBe(long);
});

test("ControlQueue.cancel() takes a frame back, queued or on its way", () => {
  const [queue, frame]: [ControlQueue, Frame] = [new ControlQueue(), { kind: "ping" }];
  queue.add(frame);
  queue.cancel(frame);
  expect(queue.take(100, any)).toBeNull();
  queue.onLost(frame);
  expect([queue.isEmpty, queue.bytesOf(frame)]).toEqual([true, null]);
});
