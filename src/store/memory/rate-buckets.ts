import { requireTaking } from "../checks.ts";
import type { RateBuckets } from "../rate-buckets.ts";
import { type BucketRate, TokenBuckets } from "../token-bucket.ts";

/** The buckets of one process. */
export class MemoryRateBuckets implements RateBuckets {
  readonly #now: () => number;
  readonly #buckets: TokenBuckets;

  /** @param now monotonic ms */
  constructor(now: () => number = () => performance.now(), capacity?: number) {
    this.#now = now;
    this.#buckets = new TokenBuckets(capacity);
  }

  async take(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    const now = this.#now();
    return this.#buckets.of(key, rate, now).take(now, cost);
  }

  async waitMs(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    const now = this.#now();
    return this.#buckets.of(key, rate, now).waitMs(now, cost);
  }

  async spend(key: string, rate: BucketRate, cost: number): Promise<number> {
    requireTaking(key, rate, cost);
    const now = this.#now();
    return this.#buckets.of(key, rate, now).spend(now, cost);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#buckets.clear();
  }
}
