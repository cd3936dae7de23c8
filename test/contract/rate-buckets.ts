import { expect, test } from "bun:test";
import type { RateBuckets } from "../../src/store/rate-buckets.ts";

/** New buckets as two server nodes see them; a back end that only one node can have gives the same ones twice. */
export interface BucketsPlace extends AsyncDisposable {
  readonly nodes: readonly [RateBuckets, RateBuckets];
  /** Lets so much time go by for the buckets. */
  readonly advance: (ms: number) => Promise<void>;
}

export interface BucketsBackEnd {
  readonly name: string;
  readonly place: () => Promise<BucketsPlace>;
}

/** So slow that nothing comes back during a test. */
const slow = { perSecond: 0.001, burst: 10 };

/** What all RateBuckets promise. */
export function rateBucketsContract({ name: backEnd, place }: BucketsBackEnd): void {
  const title = (claim: string) => `RateBuckets (${backEnd}): ${claim}`;

  test(title("a bucket gives its burst and no more, to all nodes together"), async () => {
    await using at = await place();
    const attempts = Array.from({ length: 40 }, (_, index) => at.nodes[index % 2 === 0 ? 0 : 1].take("ana", slow));
    const waits = await Promise.all(attempts);
    expect(waits.filter((waitMs) => waitMs === 0)).toHaveLength(10);
    for (const waitMs of waits.filter((each) => each > 0)) {
      expect(waitMs).toBeGreaterThan(900_000);
      expect(waitMs).toBeLessThanOrEqual(1_000_000);
    }
  });

  test(title("a cost is taken whole or not at all"), async () => {
    await using at = await place();
    const [buckets, other] = at.nodes;
    expect(await buckets.take("ana", slow, 7)).toBe(0);
    expect(await other.take("ana", slow, 4)).toBeGreaterThan(0);
    expect(await other.take("ana", slow, 3)).toBe(0);
    expect(await buckets.take("ana", slow, 0.5)).toBeGreaterThan(0);
  });

  test(title("waitMs() tells the wait and takes nothing"), async () => {
    await using at = await place();
    const [buckets, other] = at.nodes;
    for (let count = 0; count < 3; count++) expect(await buckets.waitMs("ana", slow, 10)).toBe(0);
    expect(await other.take("ana", slow, 10)).toBe(0);
    expect(await buckets.waitMs("ana", slow)).toBeGreaterThan(900_000);
    expect(await buckets.waitMs("ana", slow, 2)).toBeGreaterThan(1_900_000);
  });

  test(title("keys do not touch each other"), async () => {
    await using at = await place();
    const [buckets, other] = at.nodes;
    const keys = ["login:ana", "login:ben", "a\r\nFLUSHALL", "{a}", "*", "__proto__", "constructor", ""];
    for (const key of keys) expect(await buckets.take(key, slow, 10)).toBe(0);
    for (const key of keys) expect(await other.take(key, slow)).toBeGreaterThan(0);
  });

  test(title("what was taken comes back at its rate, up to the burst"), async () => {
    await using at = await place();
    const [buckets, other] = at.nodes;
    const quick = { perSecond: 50, burst: 5 };
    expect(await buckets.take("ana", quick, 5)).toBe(0);
    const waitMs = await other.waitMs("ana", quick, 2);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(40);
    await at.advance(waitMs + 1);
    expect(await other.take("ana", quick, 2)).toBe(0);
    await at.advance(400);
    expect(await buckets.take("ana", quick, 5)).toBe(0);
    expect(await buckets.waitMs("ana", quick, 5)).toBeGreaterThan(0);
  });

  test(title("spend() takes even what is not there, from all nodes together, and tells what is left"), async () => {
    await using at = await place();
    const [buckets, other] = at.nodes;
    expect(await buckets.spend("ana", slow, 0)).toBe(10);
    expect(await buckets.spend("ana", slow, 7.5)).toBeWithin(2.5, 2.51);
    expect(await other.spend("ana", slow, 100)).toBeWithin(-97.5, -97.4);
    expect(await other.spend("ana", slow, 0)).toBeWithin(-97.5, -97.4);
    expect(await buckets.take("ana", slow)).toBeWithin(98_000_000, 98_500_001);
  });

  test(title("a debt is paid back at the rate"), async () => {
    await using at = await place();
    const [buckets, other] = at.nodes;
    const quick = { perSecond: 50, burst: 5 };
    expect(await buckets.spend("ana", quick, 15)).toBe(-10);
    const waitMs = await other.waitMs("ana", quick);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(220);
    await at.advance(waitMs + 1);
    expect(await other.take("ana", quick)).toBe(0);
  });

  test(title("a rate of 0 is no limit"), async () => {
    await using at = await place();
    const [buckets] = at.nodes;
    const none = { perSecond: 0, burst: 1 };
    for (let count = 0; count < 20; count++) expect(await buckets.take("ana", none, 1_000)).toBe(0);
    expect(await buckets.waitMs("ana", none, 1_000)).toBe(0);
    expect(await buckets.spend("ana", none, 1_000)).toBe(1);
  });

  test(title("a key, rate or cost that cannot be is a TypeError"), async () => {
    await using at = await place();
    const [buckets] = at.nodes;
    const attempts = [
      () => buckets.take("x".repeat(257), slow),
      () => buckets.take({ $gt: "" } as unknown as string, slow),
      () => buckets.take("ana", { perSecond: -1, burst: 1 }),
      () => buckets.take("ana", { perSecond: 1, burst: 0 }),
      () => buckets.take("ana", { perSecond: 1, burst: Number.NaN }),
      () => buckets.take("ana", slow, -1),
      () => buckets.waitMs("ana", slow, Number.POSITIVE_INFINITY),
      () => buckets.spend("ana", slow, -0.5),
    ];
    for (const attempt of attempts) expect(await attempt().catch((error: unknown) => error)).toBeInstanceOf(TypeError);
  });
}
