import { expect, test } from "bun:test";
import { BlackHole } from "../../../../src/wire/session/black-hole.ts";

/** Numbers `from` up to but not including `to`, all of this length. */
function lose(hole: BlackHole, from: number, to: number, bytes: number): void {
  for (let number = from; number < to; number++) hole.onLost(number, bytes);
}

/** Loses one more of those that left after the doubt. */
function isSure(hole: BlackHole, next: number, bytes = 1_452): boolean {
  if (hole.takeLarge(next)) return true;
  hole.onLost(next, bytes);
  return hole.takeLarge(next + 1);
}

test("BlackHole tells of 12 long packets in a row and one sent after them, once, and not of 11", () => {
  const hole = new BlackHole();
  lose(hole, 0, 11, 1_452);
  expect(hole.takeLarge(20)).toBe(false);
  hole.onLost(11, 1_452);
  expect(hole.takeLarge(20)).toBe(false);
  hole.onLost(19, 1_452);
  expect(hole.takeLarge(21)).toBe(false);
  hole.onLost(20, 1_452);
  expect([hole.takeLarge(22), hole.takeLarge(22), hole.takeBase()]).toEqual([true, false, false]);
});

test("BlackHole takes the lost end of a flight for nothing when a long packet that left after it arrives", () => {
  const hole = new BlackHole();
  lose(hole, 0, 40, 1_472);
  hole.onAcked(40, 1_200);
  expect(hole.takeLarge(41)).toBe(false);
  hole.onAcked(41, 1_472);
  lose(hole, 42, 53, 1_472);
  expect(isSure(hole, 53)).toBe(false);
});

test("BlackHole is not deceived by shorter packets that arrive, and begins anew after one as long as any that was lost", () => {
  const hole = new BlackHole();
  lose(hole, 0, 11, 1_452);
  hole.onAcked(20, 64);
  hole.onAcked(21, 1_200);
  hole.onAcked(22, 1_300);
  hole.onLost(23, 1_452);
  expect(isSure(hole, 24)).toBe(true);
  lose(hole, 30, 41, 1_452);
  hole.onLost(41, 1_300);
  hole.onAcked(42, 1_350);
  expect(isSure(hole, 43)).toBe(false);
});

test("BlackHole does not count what left before a packet as long that arrived: acks are read first", () => {
  const hole = new BlackHole();
  hole.onAcked(50, 1_452);
  lose(hole, 0, 50, 1_452);
  expect(isSure(hole, 51)).toBe(false);
  lose(hole, 52, 63, 1_452);
  expect(isSure(hole, 63)).toBe(true);
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
