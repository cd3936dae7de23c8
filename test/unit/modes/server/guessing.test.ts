import { expect, test } from "bun:test";
import { GuessingGuard } from "../../../../src/modes/server/guessing.ts";
import { Refusal } from "../../../../src/modes/server/refusal.ts";
import { ManualClock } from "./manual-clock.ts";

const stranger = (ip = "192.0.2.7") => ({ name: "ana", deviceKey: "stranger", ip });
const owner = { name: "ana", deviceKey: "owner", ip: "198.51.100.1" };

/** 0 when it may guess. */
function waitMs(guard: GuessingGuard, guess = stranger()): number {
  try {
    guard.check(guess);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code).toBe("limited");
    return error.retryMs;
  }
}

test("bad input 61: after five wrong passwords an account waits 1 s, doubling to 15 min", () => {
  const clock = new ManualClock();
  const guard = new GuessingGuard(clock);
  const waits: number[] = [];
  for (let failure = 0; failure < 20; failure++) {
    // Each from another network, so that the account's own delay shows.
    guard.failed(stranger(`192.0.${failure}.1`));
    const wait = waitMs(guard, stranger("203.0.113.1"));
    waits.push(wait);
    clock.advance(wait);
  }
  expect(waits.slice(0, 7)).toEqual([0, 0, 0, 0, 1_000, 2_000, 4_000]);
  expect(waits.at(-1)).toBe(900_000);
  expect(waitMs(guard, stranger("203.0.113.1"))).toBe(0);
});

test("bad input 61: the owner's known device does not wait for what strangers did", () => {
  const guard = new GuessingGuard(new ManualClock());
  guard.knows("ana", "owner");
  for (let failure = 0; failure < 10; failure++) guard.failed(stranger());
  expect(waitMs(guard)).toBeGreaterThan(0);
  expect(waitMs(guard, owner)).toBe(0);
  for (let failure = 0; failure < 5; failure++) guard.failed(owner);
  expect(waitMs(guard, owner)).toBe(1_000);
});

test("bad input 61: one address has 20 wrong answers a minute over all accounts, an IPv6 network likewise", () => {
  const clock = new ManualClock();
  const guard = new GuessingGuard(clock);
  for (let failure = 0; failure < 20; failure++) {
    guard.failed({ name: `user${failure}`, deviceKey: "x", ip: "192.0.2.7" });
    guard.addressFailed(`2001:db8::${failure + 1}`);
  }
  expect(waitMs(guard, { name: "other", deviceKey: "x", ip: "192.0.2.7" })).toBe(3_000);
  expect(guard.addressWaitMs("2001:db8::ffff")).toBe(3_000);
  expect(guard.addressWaitMs("2001:db8:0:1::1")).toBe(0);
  clock.advance(3_000);
  expect(waitMs(guard, { name: "other", deviceKey: "x", ip: "192.0.2.7" })).toBe(0);
});

test("a right password, or an hour of quiet, forgets the wrong ones", () => {
  const clock = new ManualClock();
  const guard = new GuessingGuard(clock);
  for (let failure = 0; failure < 5; failure++) guard.failed(stranger());
  clock.advance(3_600_001);
  guard.failed(stranger());
  expect(waitMs(guard)).toBe(0);
  for (let failure = 0; failure < 4; failure++) guard.failed(stranger());
  clock.advance(1_000);
  guard.succeeded(stranger());
  guard.failed(stranger());
  expect(waitMs(guard)).toBe(0);
});
