import { expect, test } from "bun:test";
import { defaultLimits } from "../../../../src/modes/cli/limits.ts";
import { Newcomers } from "../../../../src/modes/server/newcomers.ts";
import { Refusal } from "../../../../src/modes/server/refusal.ts";
import { ManualClock } from "./manual-clock.ts";

function enter(newcomers: Newcomers, ip: string): (() => void) | Refusal {
  try {
    return newcomers.enter(ip);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

test("bad input 35: 16 newcomers of one address, counted over an IPv6 network, and no more until one leaves", () => {
  const newcomers = new Newcomers(new ManualClock());
  const places = Array.from({ length: 17 }, (_, at) => enter(newcomers, `2001:db8::${at + 1}`));
  expect(places.at(-1)).toMatchObject({ code: "limited", retryMs: 2_000 });
  expect(newcomers.size).toBe(16);
  const [leave] = places;
  if (typeof leave === "function") {
    leave();
    leave();
  }
  expect(newcomers.size).toBe(15);
  expect(enter(newcomers, "2001:db8::99")).toBeFunction();
  expect(enter(newcomers, "2001:db8:0:1::1")).toBeFunction();
});

test("bad input 35: 512 newcomers in all, of however many addresses, and 500 handshakes a second", () => {
  const clock = new ManualClock();
  const newcomers = new Newcomers(clock);
  let next = 0;
  const arrive = (count: number) =>
    Array.from({ length: count }, () => enter(newcomers, `10.${++next >> 8}.${next & 255}.1`)).filter(
      (outcome) => outcome instanceof Refusal,
    );
  expect(arrive(501)).toMatchObject([{ code: "busy", retryMs: 2 }]);
  clock.advance(1_000);
  expect(arrive(13)).toMatchObject([{ code: "busy", retryMs: 2_000 }]);
  expect(newcomers.size).toBe(512);
});

test("an address has 50 upgrades at once, and 5 a second after that", () => {
  const clock = new ManualClock();
  const newcomers = new Newcomers(clock);
  const come = () => {
    const outcome = enter(newcomers, "192.0.2.1");
    if (outcome instanceof Refusal) return outcome.retryMs;
    outcome();
    return 0;
  };
  const waits = Array.from({ length: 51 }, come);
  expect([waits.lastIndexOf(0), waits.at(-1)]).toEqual([49, 200]);
  clock.advance(1_000);
  expect(Array.from({ length: 6 }, come)).toEqual([0, 0, 0, 0, 0, 200]);
  expect(enter(newcomers, "192.0.2.2")).toBeFunction();
});

test("each limit of newcomers is a setting, and 0 turns it off", () => {
  const off = {
    ...defaultLimits,
    "limit-newcomers": 0,
    "limit-newcomers-per-address": 0,
    "limit-connections": 0,
    "limit-handshakes": 0,
  };
  const all = new Newcomers(new ManualClock(), off);
  expect(
    Array.from({ length: 2_000 }, () => enter(all, "192.0.2.1")).filter((each) => each instanceof Refusal),
  ).toEqual([]);
  const few = new Newcomers(new ManualClock(), { ...defaultLimits, "limit-newcomers": 2 });
  expect(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((ip) => enter(few, ip) instanceof Refusal)).toEqual([
    false,
    false,
    true,
  ]);
});

test("this machine's own programs have ten times the room, and no more than that", () => {
  const newcomers = new Newcomers(new ManualClock());
  const outcomes = Array.from({ length: 170 }, () => enter(newcomers, "127.0.0.1"));
  expect(outcomes.filter((each) => each instanceof Refusal).length).toBe(10);
  expect(enter(newcomers, "192.0.2.1")).toBeFunction();
});
