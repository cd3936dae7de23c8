import { expect, test } from "bun:test";
import { TokenBucket, TokenBuckets } from "../../../src/store/token-bucket.ts";

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

test("TokenBucket.spend() takes even what is not there, and the debt is paid back first", () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 5 }, 0);
  expect([bucket.spend(0, 2), bucket.spend(0, 13), bucket.spend(500, 0)]).toEqual([3, -10, -5]);
  expect([bucket.waitMs(500), bucket.take(1_100), bucket.take(1_100)]).toEqual([600, 0, 100]);
});

test("a rate of 0 is no limit", () => {
  const bucket = new TokenBucket({ perSecond: 0, burst: 1 }, 0);
  for (let at = 0; at < 100; at++) expect(bucket.take(0, 50)).toBe(0);
  expect([bucket.spend(0, 50), bucket.waitMs(0, 50)]).toEqual([1, 0]);
});

const one = { perSecond: 1, burst: 1 };

test("TokenBuckets count each key apart", () => {
  const buckets = new TokenBuckets();
  const take = (key: string) => buckets.of(key, one, 0).take(0);
  expect([take("a"), take("b"), take("a")]).toEqual([0, 0, 1_000]);
  expect(buckets.of("b", one, 400).waitMs(400)).toBe(600);
});

test("bad input 11: TokenBuckets stay within their number, and the oldest one goes", () => {
  const buckets = new TokenBuckets(100);
  const take = (key: string) => buckets.of(key, one, 0).take(0);
  take("kept");
  for (let source = 0; source < 10_000; source++) {
    take(`source ${source}`);
    if (source % 50 === 0) take("kept");
  }
  expect(buckets.size).toBe(100);
  expect([take("kept"), take("source 0")]).toEqual([1_000, 0]);
});
