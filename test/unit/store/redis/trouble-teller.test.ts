import { expect, test } from "bun:test";
import { TroubleTeller } from "../../../../src/store/redis/trouble-teller.ts";

test("TroubleTeller tells of the first trouble in 30 s, and of its end", () => {
  const told: string[] = [];
  let now = 1_000;
  const teller = new TroubleTeller(
    "Redis",
    ({ event, place, reason }) => told.push(`${event}: ${place} ${reason}`),
    () => now,
  );
  teller.back();
  for (let count = 0; count < 100; count++) teller.away("is silent");
  now += 29_999;
  teller.away("is full");
  teller.back();
  teller.back();
  teller.away("is full");
  teller.back();
  now += 1;
  teller.away("is full");
  expect(told).toEqual([
    "presence-away: Redis is silent",
    "presence-back: Redis answers again",
    "presence-away: Redis is full",
  ]);
});
