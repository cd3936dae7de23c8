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

/** One full packet each `gapMs`, every due ack sent at once. @returns the path, the next number, and how many acks there were */
function steady(packets: number, gapMs: number, maxAckDelayMs = 10): { path: ReceivePath; acks: number } {
  const path = new ReceivePath(3, "x", 0);
  let acks = 0;
  for (let number = 0; number < packets; number++) {
    const now = number * gapMs;
    path.onPacket(now, number, "x", true, 1_200, maxAckDelayMs);
    path.onBurstEnd(now);
    if ((path.ackAt ?? Number.POSITIVE_INFINITY) > now) continue;
    acks++;
    path.onAckSent();
  }
  return { path, acks };
}

test("ReceivePath acknowledges every second packet of a slow path, and a millisecond's worth of a fast one", () => {
  expect(steady(1_000, 1).acks).toBe(500);
  expect(steady(1_000, 10).acks).toBe(500);
  // 100 packets a millisecond, in 100 ms; 54 are the most that wait.
  expect(steady(10_000, 0.01).acks).toBeLessThan(250 + 10_000 / 54);
  expect(steady(10_000, 0.05).acks).toBeLessThan(600);
  expect(steady(10_000, 0.05).acks).toBeGreaterThan(400);
});

test("ReceivePath lets less wait on a path so short that its sender would wait for the ack", () => {
  const [near, far] = [0.05, 10].map((delayMs) => steady(10_000, 0.02, delayMs).acks);
  expect(near).toBeGreaterThan(3_000);
  expect(far).toBeLessThan(400);
});

test("ReceivePath acknowledges every second packet again when a fast path has fallen slow", () => {
  const { path } = steady(10_000, 0.01);
  path.onAckSent();
  const dues: boolean[] = [];
  for (let number = 10_000; number < 10_010; number++) {
    const now = number;
    path.onPacket(now, number, "x", true, 1_200, 10);
    dues.push(path.ackAt === now);
    if (path.ackAt === now) path.onAckSent();
  }
  expect(dues.filter((isDue) => isDue)).toHaveLength(5);
});

test("ReceivePath acknowledges a burst once", () => {
  const path = new ReceivePath(3, "x", 0);
  let [now, acks] = [0, 0];
  for (let number = 0; number < 200 * 40; now++) {
    for (const end = number + 40; number < end; number++) path.onPacket(now, number, "x", true, 1_200, 10);
    path.onBurstEnd(now);
    if ((path.ackAt ?? Number.POSITIVE_INFINITY) > now) continue;
    acks++;
    path.onAckSent();
  }
  expect(acks).toBe(200);
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
