import { requireTaking } from "../checks.ts";
import { MemoryRateBuckets } from "../memory/rate-buckets.ts";
import type { RateBuckets } from "../rate-buckets.ts";
import type { BucketRate } from "../token-bucket.ts";
import { AwayError } from "./errors.ts";
import type { RedisLink } from "./link.ts";
import { bucketScripts, type Script } from "./scripts.ts";

/** Each bucket is a key of its own, which Redis forgets once it is full again. The clock is Redis's. */
export class RedisRateBuckets implements RateBuckets {
  readonly #link: RedisLink;
  /** While Redis is away. */
  readonly #local = new MemoryRateBuckets();

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async take(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    if (rate.perSecond === 0) return 0;
    return (await this.#ask(bucketScripts.take, key, rate, cost)) ?? this.#local.take(key, rate, cost);
  }

  async waitMs(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    if (rate.perSecond === 0) return 0;
    return (await this.#ask(bucketScripts.waitMs, key, rate, cost)) ?? this.#local.waitMs(key, rate, cost);
  }

  async spend(key: string, rate: BucketRate, cost: number): Promise<number> {
    requireTaking(key, rate, cost);
    if (rate.perSecond === 0) return rate.burst;
    return (await this.#ask(bucketScripts.spend, key, rate, cost)) ?? this.#local.spend(key, rate, cost);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#local[Symbol.asyncDispose]();
  }

  /** @returns null while Redis is away */
  async #ask(script: Script, key: string, { perSecond, burst }: BucketRate, cost: number): Promise<number | null> {
    try {
      return Number(
        await this.#link.run(script, [`${this.#link.prefix}:bucket:${key}`], perSecond / 1_000, burst, cost),
      );
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return null;
    }
  }
}
