import { requireTaking } from "../checks.ts";
import { MemoryRateBuckets } from "../memory/rate-buckets.ts";
import type { BucketRate, RateBuckets } from "../rate-buckets.ts";
import { AwayError } from "./errors.ts";
import type { RedisLink } from "./link.ts";
import { takeScript } from "./scripts.ts";

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
    return (await this.#ask(key, rate, cost, 1)) ?? this.#local.take(key, rate, cost);
  }

  async waitMs(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    return (await this.#ask(key, rate, cost, 0)) ?? this.#local.waitMs(key, rate, cost);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#local[Symbol.asyncDispose]();
  }

  /** @returns null while Redis is away */
  async #ask(key: string, { perSecond, burst }: BucketRate, cost: number, take: 0 | 1): Promise<number | null> {
    const bucket = `${this.#link.prefix}:bucket:${key}`;
    try {
      return Number(await this.#link.run(takeScript, [bucket], perSecond / 1_000, burst, cost, take));
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return null;
    }
  }
}
