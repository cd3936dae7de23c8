import { expect, test } from "bun:test";
import { Reordering } from "../../../../src/wire/session/reordering.ts";

const NEVER = Number.POSITIVE_INFINITY;

test("Reordering goes by three packets or an eighth of a round trip, until one came late, RFC 9002 §6.1", () => {
  const reordering = new Reordering();
  expect([reordering.packetThreshold(0), reordering.share(0)]).toEqual([3, 1 / 8]);
  reordering.onLate(1_000, 50);
  expect([reordering.packetThreshold(1_001), reordering.share(1_001)]).toEqual([NEVER, 1 / 8]);
});

test("Reordering waits longer each time that was too short, once in two round trips, up to a whole one", () => {
  const reordering = new Reordering();
  const shares = [0, 60, 100, 150, 200, 300, 400].map((now) => {
    reordering.onLate(now, 50);
    return reordering.share(now);
  });
  expect(shares).toEqual([1 / 8, 1 / 8, 1 / 4, 1 / 4, 1 / 2, 1, 1]);
});

test("Reordering forgets after 30 s without any", () => {
  const reordering = new Reordering();
  for (const now of [0, 1_000, 2_000]) reordering.onLate(now, 50);
  expect(reordering.share(31_999)).toBe(1 / 2);
  expect([reordering.packetThreshold(32_000), reordering.share(32_000)]).toEqual([3, 1 / 8]);
  reordering.onLate(40_000, 50);
  expect(reordering.share(40_000)).toBe(1 / 8);
});
