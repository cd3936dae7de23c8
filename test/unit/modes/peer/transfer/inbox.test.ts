import { expect, test } from "bun:test";
import { OfferPlaces } from "../../../../../src/modes/peer/transfer/inbox.ts";

function places() {
  const clock = { nowMs: 0 };
  return { clock, of: new OfferPlaces(() => clock.nowMs) };
}

test("bad input 159: OfferPlaces has five for each person, whichever session asks", () => {
  const { of } = places();
  const given = Array.from({ length: 5 }, () => of.take("eve"));
  expect(given.every((each) => each !== null)).toBe(true);
  expect(of.take("eve")).toBeNull();
  expect(of.take("ana")).not.toBeNull();
  given[2]?.(false);
  expect(of.take("eve")).not.toBeNull();
  expect(of.take("eve")).toBeNull();
});

test("bad input 159: OfferPlaces keeps the place of a withdrawn offer for ten seconds", () => {
  const { clock, of } = places();
  for (let number = 0; number < 5; number++) of.take("eve")?.(true);
  expect(of.take("eve")).toBeNull();
  clock.nowMs = 9_999;
  expect(of.take("eve")).toBeNull();
  clock.nowMs = 10_000;
  expect(of.take("eve")).not.toBeNull();
});
