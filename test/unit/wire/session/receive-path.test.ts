import { expect, test } from "bun:test";
import { ReceivePath } from "../../../../src/wire/session/receive-path.ts";
import { ReceivePaths } from "../../../../src/wire/session/receive-paths.ts";

test("ReceivePath acknowledges a lone full packet within the delay, a small one and a gap at once", () => {
  const path = new ReceivePath(3, "x", 0);
  path.onPacket(100, 0, "x", true, 1_200, 10);
  expect(path.ackAt).toBe(110);
  path.onBurstEnd(100);
  expect(path.ackAt).toBe(110);
  path.onAckSent();
  path.onPacket(200, 1, "x", true, 500, 10);
  expect(path.ackAt).toBe(200);
  path.onAckSent();
  path.onPacket(300, 4, "x", true, 1_200, 10);
  expect(path.ackAt).toBe(300);
  path.onAckSent();
  path.onPacket(310, 2, "x", true, 1_200, 10);
  expect(path.ackAt).toBe(310);
});

test("ReceivePath acknowledges a burst once, and eight packets at the latest", () => {
  const path = new ReceivePath(3, "x", 0);
  for (let number = 0; number < 7; number++) path.onPacket(100, number, "x", true, 1_200, 10);
  expect(path.ackAt).toBe(110);
  path.onPacket(100, 7, "x", true, 1_200, 10);
  expect(path.ackAt).toBe(100);
  path.onAckSent();
  for (const number of [8, 9]) path.onPacket(101, number, "x", true, 1_200, 10);
  path.onBurstEnd(101);
  expect(path.ackAt).toBe(101);
});

test("ReceivePath does not acknowledge what does not ask for it, and counts the delay from the largest", () => {
  const path = new ReceivePath(3, "x", 0);
  path.onPacket(100, 5, "x", false, 500, 10);
  expect(path.ackAt).toBeNull();
  path.onPacket(107, 4, "y", true, 1_200, 10);
  expect(path.ackDelayUs(110.5)).toBe(10_500);
  expect(path.routeKey).toBe("x");
});

test("ReceivePaths keeps 16 further paths, and refuses those that went for good", () => {
  const paths = new ReceivePaths();
  for (let id = 0; id < 30; id++) paths.open(id, "x", id);
  expect([...paths.values()].map(({ id }) => id)).toEqual([
    0,
    1,
    2,
    ...Array.from({ length: 16 }, (_, index) => 14 + index),
  ]);
  expect([2, 3, 13, 14].map((id) => paths.isGone(id))).toEqual([false, true, true, false]);
});

test("ReceivePath takes a packet for the last of its flight when it is shorter than the one before it", () => {
  const path = new ReceivePath(3, "x", 0);
  const dues = [1_452, 1_452, 1_300, 1_200, 1_200].map((bytes, number) => {
    path.onPacket(100 * number, number, "x", true, bytes, 10);
    const isUrgent = path.ackAt === 100 * number;
    path.onAckSent();
    return isUrgent;
  });
  expect(dues).toEqual([false, false, true, true, false]);
});
