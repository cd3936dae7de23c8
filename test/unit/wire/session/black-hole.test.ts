import { expect, test } from "bun:test";
import { BlackHole } from "../../../../src/wire/session/black-hole.ts";

/** Numbers `from` up to but not including `to`, all of this length. */
function lose(hole: BlackHole, from: number, to: number, bytes: number): void {
  for (let number = from; number < to; number++) hole.onLost(number, bytes);
}

test("BlackHole tells of 12 long packets in a row, once, and not of 11", () => {
  const hole = new BlackHole();
  lose(hole, 0, 11, 1_452);
  expect(hole.takeLarge()).toBe(false);
  hole.onLost(11, 1_452);
  expect([hole.takeLarge(), hole.takeLarge(), hole.takeBase()]).toEqual([true, false, false]);
});

test("BlackHole is not deceived by shorter packets that arrive, and begins anew after one as long as any that was lost", () => {
  const hole = new BlackHole();
  lose(hole, 0, 11, 1_452);
  hole.onAcked(20, 64);
  hole.onAcked(21, 1_200);
  hole.onAcked(22, 1_300);
  hole.onLost(23, 1_452);
  expect(hole.takeLarge()).toBe(true);
  lose(hole, 30, 41, 1_452);
  hole.onLost(41, 1_300);
  hole.onAcked(42, 1_350);
  expect(hole.takeLarge()).toBe(false);
});

test("BlackHole does not count what left before a packet as long that arrived: acks are read first", () => {
  const hole = new BlackHole();
  hole.onAcked(50, 1_452);
  lose(hole, 0, 50, 1_452);
  expect(hole.takeLarge()).toBe(false);
  lose(hole, 51, 63, 1_452);
  expect(hole.takeLarge()).toBe(true);
});

test("BlackHole tells of 24 packets of 1200 bytes, which longer ones neither add to nor take for granted", () => {
  const hole = new BlackHole();
  lose(hole, 0, 23, 1_200);
  lose(hole, 23, 60, 1_452);
  lose(hole, 60, 90, 1_199);
  expect(hole.takeBase()).toBe(false);
  hole.onLost(90, 1_200);
  expect(hole.takeBase()).toBe(true);
  lose(hole, 100, 123, 1_200);
  hole.onAcked(123, 1_452);
  hole.onLost(124, 1_200);
  expect(hole.takeBase()).toBe(false);
});
