import { expect, test } from "bun:test";
import { MemoryRateBuckets } from "../../../../src/store/memory/rate-buckets.ts";

test("MemoryRateBuckets forgets the bucket used longest ago when there are too many", async () => {
  await using buckets = new MemoryRateBuckets(() => 0, 3);
  const rate = { perSecond: 1, burst: 1 };
  for (const key of ["a", "b", "c"]) expect(await buckets.take(key, rate)).toBe(0);
  expect(await buckets.take("a", rate)).toBe(1_000);
  expect(await buckets.take("d", rate)).toBe(0);
  expect(await buckets.take("b", rate)).toBe(0);
  expect(await buckets.take("a", rate)).toBe(1_000);
});
