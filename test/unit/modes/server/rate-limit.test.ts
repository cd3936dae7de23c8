import { expect, test } from "bun:test";
import { TokenBucket, TokenBuckets } from "../../../../src/modes/server/rate-limit.ts";

test("TokenBucket.take() gives the burst at once and then the rate", () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0);
  expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 0, 500]);
  expect(bucket.take(499)).toBe(1);
  expect(bucket.take(500)).toBe(0);
  expect(bucket.take(500)).toBe(500);
});

test("TokenBucket.take() never holds more than the burst", () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0);
  expect([1_000_000, 1_000_000, 1_000_000].map((now) => bucket.take(now))).toEqual([0, 0, 100]);
});

test("TokenBucket.take() of what is missing takes nothing", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, 0);
  expect(bucket.take(0, 4)).toBe(0);
  expect(bucket.take(0, 2)).toBe(1_000);
  expect(bucket.take(0, 1)).toBe(0);
});

test("TokenBuckets count each key apart", () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
  expect([buckets.take("a", 0), buckets.take("b", 0), buckets.take("a", 0)]).toEqual([0, 0, 1_000]);
  expect(buckets.waitMs("b", 400)).toBe(600);
});

test("bad input 11: TokenBuckets stay within their number, and the oldest one goes", () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 100);
  buckets.take("kept", 0);
  for (let source = 0; source < 10_000; source++) {
    buckets.take(`source ${source}`, 0);
    if (source % 50 === 0) buckets.take("kept", 0);
  }
  expect(buckets.size).toBe(100);
  expect(buckets.take("kept", 0)).toBe(1_000);
  expect(buckets.take("source 0", 0)).toBe(0);
});
