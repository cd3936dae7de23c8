import { expect, test } from "bun:test";
import { defaultLimits } from "../../../../src/modes/cli/limits.ts";
import { GuessingGuard } from "../../../../src/modes/server/guessing.ts";
import { Refusal } from "../../../../src/modes/server/refusal.ts";
import { limitsPlace } from "./limits-place.ts";
import { ManualClock } from "./manual-clock.ts";

const stranger = (ip = "192.0.2.7") => ({ name: "ana", deviceKey: "stranger", ip });
const owner = { name: "ana", deviceKey: "owner", ip: "198.51.100.1" };

/** Begins a guess that goes wrong. @returns 0, or how long it has to wait */
async function waitMs(guard: GuessingGuard, guess = stranger()): Promise<number> {
  try {
    await guard.begin(guess);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.code).toBe("limited");
    return error.retryMs;
  }
}

test("bad input 61: after five wrong passwords an account waits 1 s, doubling to 15 min, from wherever they come", async () => {
  const clock = new ManualClock();
  const guard = new GuessingGuard(limitsPlace(clock));
  const waits: number[] = [];
  for (let guess = 0; guess < 20; guess++) {
    const wait = await waitMs(guard, stranger(`192.0.${guess}.1`));
    waits.push(wait);
    clock.advance(wait);
    if (wait > 0) expect(await waitMs(guard, stranger(`192.0.${guess}.1`))).toBe(0);
  }
  expect(waits.slice(0, 8)).toEqual([0, 0, 0, 0, 0, 1_000, 2_000, 4_000]);
  expect(waits.at(-1)).toBe(900_000);
});

test("bad input 61: guesses at the same moment are not all the first", async () => {
  const guard = new GuessingGuard(limitsPlace(new ManualClock()));
  const waits = await Promise.all(Array.from({ length: 100 }, (_, at) => waitMs(guard, stranger(`198.18.${at}.1`))));
  expect(waits.filter((wait) => wait === 0).length).toBe(5);
});

test("bad input 61: the owner's known device does not wait for what strangers did", async () => {
  const guard = new GuessingGuard(limitsPlace(new ManualClock()));
  guard.knows("ana", "owner");
  for (let guess = 0; guess < 10; guess++) await waitMs(guard);
  expect(await waitMs(guard)).toBeGreaterThan(0);
  expect(await Promise.all(Array.from({ length: 6 }, () => waitMs(guard, owner)))).toEqual([0, 0, 0, 0, 0, 1_000]);
});

test("bad input 61: one address has 20 wrong answers a minute over all accounts, an IPv6 network likewise", async () => {
  const clock = new ManualClock();
  const guard = new GuessingGuard(limitsPlace(clock));
  for (let failure = 0; failure < 20; failure++) {
    await guard.addressFailed("192.0.2.7");
    await guard.addressFailed(`2001:db8::${failure + 1}`);
  }
  expect(await waitMs(guard, { name: "other", deviceKey: "x", ip: "192.0.2.7" })).toBe(3_000);
  expect(await guard.addressWaitMs("2001:db8::ffff")).toBe(3_000);
  expect(await guard.addressWaitMs("2001:db8:0:1::1")).toBe(0);
  clock.advance(3_000);
  expect(await waitMs(guard, { name: "other", deviceKey: "x", ip: "192.0.2.7" })).toBe(0);
});

test("a right password, or an hour of quiet, forgets the wrong ones", async () => {
  const clock = new ManualClock();
  const guard = new GuessingGuard(limitsPlace(clock));
  for (let guess = 0; guess < 5; guess++) await waitMs(guard);
  clock.advance(3_600_001);
  for (let guess = 0; guess < 5; guess++) expect(await waitMs(guard)).toBe(0);
  await guard.succeeded(stranger());
  for (let guess = 0; guess < 5; guess++) expect(await waitMs(guard)).toBe(0);
});

test("0 lets people guess without end, and another number sooner or later", async () => {
  const off = { ...defaultLimits, "limit-guesses-per-account": 0, "limit-guesses-per-address": 0 };
  const lax = new GuessingGuard(limitsPlace(new ManualClock()), off);
  for (let guess = 0; guess < 100; guess++) {
    expect(await waitMs(lax)).toBe(0);
    await lax.addressFailed("192.0.2.7");
  }
  const strict = new GuessingGuard(limitsPlace(new ManualClock()), {
    ...defaultLimits,
    "limit-guesses-per-account": 1,
  });
  expect([await waitMs(strict), await waitMs(strict)]).toEqual([0, 1_000]);
});

test("bad input 61: guesses are counted over all nodes, and a right one forgets them on all", async () => {
  const place = limitsPlace(new ManualClock());
  const [here, there] = [new GuessingGuard(place), new GuessingGuard(place)];
  const waits = await Promise.all(
    Array.from({ length: 40 }, (_, at) => waitMs(at % 2 === 0 ? here : there, stranger(`198.18.${at}.1`))),
  );
  expect(waits.filter((wait) => wait === 0).length).toBe(5);
  await there.succeeded({ name: "ana", deviceKey: "new", ip: "203.0.113.5" });
  expect(await waitMs(here)).toBe(0);
});

test("bad input 61: one address has its wrong answers on all nodes together", async () => {
  const place = limitsPlace(new ManualClock());
  const [here, there] = [new GuessingGuard(place), new GuessingGuard(place)];
  for (let failure = 0; failure < 10; failure++)
    for (const node of [here, there]) await node.addressFailed("192.0.2.7");
  expect(await Promise.all([here.addressWaitMs("192.0.2.7"), there.addressWaitMs("192.0.2.7")])).toEqual([
    3_000, 3_000,
  ]);
  expect(await there.addressWaitMs("192.0.2.8")).toBe(0);
});
