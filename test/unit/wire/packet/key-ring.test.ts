import { expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { KeyRing } from "../../../../src/wire/packet/key-ring.ts";
import { keysOf, sealed } from "./packets.ts";

const PREVIOUS_MS = 15_000;

test("KeyRing sends under its first epoch at once", () => {
  const { a, b } = pair();
  expect(opens(b, sealed(a.sending, 0, utf8("x")), 0)).toBe(true);
});

test("KeyRing opens packets of an added epoch, but sends under the one before until one came", () => {
  const { a, b } = pair();
  for (const [ring, keys] of [a, b].map((ring, end) => [ring, keysOf(2)[end]] as const)) if (keys) ring.add(keys);
  expect([a.sending.epoch, b.sending.epoch, b.newestEpoch]).toEqual([1, 1, 2]);
  a.sendUnderNewest(100);
  expect(opens(b, sealed(a.sending, 0, utf8("x")), 200)).toBe(true);
  expect([a.sending.epoch, b.sending.epoch]).toEqual([2, 2]);
});

test("KeyRing goes on sending under the old epoch when a forged packet names the new one", () => {
  const { a, b } = pair();
  b.add(keysOf(2)[1]);
  const forged = sealed(a.sending, 0, utf8("x")).with(1, 0x12);
  expect(opens(b, forged, 0)).toBe(false);
  expect(b.sending.epoch).toBe(1);
});

test("bad input 122: KeyRing opens packets of the epoch before for 15 s, then drops its keys", () => {
  const { a, b } = pair();
  const late = [0, 1, 2].map((number) => sealed(a.sending, number, utf8("x")));
  b.add(keysOf(2)[1]);
  b.sendUnderNewest(1_000);
  expect(b.pollTimeout()).toBe(1_000 + PREVIOUS_MS);
  expect(opens(b, late[0], 1_000 + PREVIOUS_MS - 1)).toBe(true);
  expect(opens(b, late[1], 1_000 + PREVIOUS_MS)).toBe(false);
  b.handleTimeout(1_000 + PREVIOUS_MS);
  expect(b.pollTimeout()).toBeNull();
  expect(opens(b, late[2], 1_000)).toBe(false);
});

test("KeyRing.handleTimeout() changes nothing before the time", () => {
  const { a, b } = pair();
  const late = sealed(a.sending, 0, utf8("x"));
  b.add(keysOf(2)[1]);
  b.handleTimeout(10 ** 9);
  b.sendUnderNewest(0);
  b.handleTimeout(PREVIOUS_MS - 1);
  expect(opens(b, late, PREVIOUS_MS - 1)).toBe(true);
});

test("KeyRing keeps the time of an epoch when a third one follows", () => {
  const { b } = pair();
  b.add(keysOf(2)[1]);
  b.sendUnderNewest(0);
  b.add(keysOf(3)[1]);
  b.sendUnderNewest(10_000);
  expect(b.pollTimeout()).toBe(PREVIOUS_MS);
  b.handleTimeout(PREVIOUS_MS);
  expect(b.pollTimeout()).toBe(10_000 + PREVIOUS_MS);
});

test("KeyRing steps to the epoch that came, keeps the one still to come, and never steps back", () => {
  const { a, b } = pair();
  b.add(keysOf(2)[1]);
  b.add(keysOf(3)[1]);
  a.add(keysOf(2)[0]);
  a.sendUnderNewest(0);
  const [second, late] = [sealed(a.sending, 0, utf8("x")), sealed(a.sending, 1, utf8("x"))];
  expect([opens(b, second, 0), b.sending.epoch]).toEqual([true, 2]);
  b.handleTimeout(PREVIOUS_MS);
  a.add(keysOf(3)[0]);
  a.sendUnderNewest(PREVIOUS_MS);
  expect([opens(b, sealed(a.sending, 2, utf8("x")), PREVIOUS_MS), b.sending.epoch]).toEqual([true, 3]);
  expect([opens(b, late, PREVIOUS_MS), b.sending.epoch]).toEqual([true, 3]);
});

test("KeyRing goes round the 16 epochs of the header", () => {
  const { a, b } = pair();
  for (let epoch = 2; epoch < 40; epoch++) {
    const [keysOfA, keysOfB] = keysOf(epoch);
    b.add(keysOfB);
    a.add(keysOfA);
    a.sendUnderNewest(epoch);
    expect(opens(b, sealed(a.sending, epoch, utf8("x")), epoch)).toBe(true);
    expect(b.sending.epoch).toBe(epoch);
  }
});

test("KeyRing refuses an epoch that is not newer than all before", () => {
  const { a } = pair();
  for (const epoch of [1, 0]) expect(() => a.add(keysOf(epoch)[0])).toThrow(RangeError);
  a.add(keysOf(5)[0]);
  expect(() => a.add(keysOf(4)[0])).toThrow(RangeError);
});

test("KeyRing gives its limits to every epoch", () => {
  const limits = { rekeyAfterPackets: 1, rejectAfterPackets: 2, rekeyAfterForgeries: 1 };
  const ring = new KeyRing(keysOf(1)[0], limits);
  ring.add(keysOf(2)[0]);
  ring.sendUnderNewest(0);
  sealed(ring.sending, 0, utf8("x"));
  expect([ring.sending.needsRekey, ring.sending.isSpent]).toEqual([true, false]);
  sealed(ring.sending, 1, utf8("x"));
  expect(ring.sending.isSpent).toBe(true);
});

function pair(): { a: KeyRing; b: KeyRing } {
  const [ofA, ofB] = keysOf(1);
  return { a: new KeyRing(ofA), b: new KeyRing(ofB) };
}

function opens(ring: KeyRing, packet: Uint8Array | undefined, now: number): boolean {
  return packet !== undefined && ring.open(now, packet, 0, packet.length) !== null;
}
