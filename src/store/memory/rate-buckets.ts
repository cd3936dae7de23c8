import { requireTaking } from "../checks.ts";
import type { BucketRate, RateBuckets } from "../rate-buckets.ts";

/** Beyond this the bucket used longest ago is forgotten, so that a flood of made-up sources cannot grow memory. */
const MAX_BUCKETS = 100_000;
/** Sums of fractions of tokens come out a little beside the whole. */
const ROUNDING = 1e-6;

interface Bucket {
  tokens: number;
  at: number;
}

/** The buckets of one process. */
export class MemoryRateBuckets implements RateBuckets {
  readonly #now: () => number;
  readonly #capacity: number;
  /** In the order in which they were used last. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param now monotonic ms */
  constructor(now: () => number = () => performance.now(), capacity = MAX_BUCKETS) {
    this.#now = now;
    this.#capacity = capacity;
  }

  async take(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    const bucket = this.#filled(key, rate);
    const waitMs = waitIn(bucket, rate, cost);
    if (waitMs === 0) bucket.tokens -= cost;
    return waitMs;
  }

  async waitMs(key: string, rate: BucketRate, cost = 1): Promise<number> {
    requireTaking(key, rate, cost);
    return waitIn(this.#filled(key, rate), rate, cost);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#buckets.clear();
  }

  #filled(key: string, { perSecond, burst }: BucketRate): Bucket {
    const now = this.#now();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#capacity) this.#forgetOldest();
    return bucket;
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}

function waitIn({ tokens }: Bucket, { perSecond }: BucketRate, cost: number): number {
  const missing = cost - tokens;
  return missing <= ROUNDING ? 0 : Math.max(1, Math.ceil((missing / perSecond) * 1_000 - ROUNDING));
}
