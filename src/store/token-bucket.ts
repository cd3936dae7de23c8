export interface BucketRate {
  /** Tokens that come back. 0: there is no limit. */
  readonly perSecond: number;
  /** Tokens at most. */
  readonly burst: number;
}

/** Beyond this the bucket used longest ago is forgotten, so that a flood of made-up sources cannot grow memory. */
const MAX_BUCKETS = 100_000;

/** Sums of fractions of tokens come out a little beside the whole. */
const ROUNDING = 1e-6;

/** One bucket, full at first. `now` is monotonic ms. */
export class TokenBucket {
  readonly #rate: BucketRate;
  #tokens: number;
  #at: number;

  constructor(rate: BucketRate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** @returns 0 when taken; else nothing is taken, and it is in how many milliseconds it can be */
  take(now: number, cost = 1): number {
    const wait = this.waitMs(now, cost);
    if (wait === 0) this.#tokens -= cost;
    return wait;
  }

  /** As `take`, but takes nothing. */
  waitMs(now: number, cost = 1): number {
    if (this.#rate.perSecond === 0) return 0;
    this.#refill(now);
    const missing = cost - this.#tokens;
    return missing <= ROUNDING ? 0 : Math.max(1, Math.ceil((missing / this.#rate.perSecond) * 1_000 - ROUNDING));
  }

  /**
   * Takes even what is not there: the next one waits the longer.
   * @returns the tokens that are left, below 0 for a debt; the burst where there is no limit
   */
  spend(now: number, cost: number): number {
    if (this.#rate.perSecond === 0) return this.#rate.burst;
    this.#refill(now);
    this.#tokens -= cost;
    return this.#tokens;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((now - this.#at) / 1_000) * this.#rate.perSecond);
    this.#at = now;
  }
}

/** One bucket per key: an account, a network, a pair of people. */
export class TokenBuckets {
  readonly #capacity: number;
  /** In the order in which they were used last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(capacity = MAX_BUCKETS) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** @param rate always the same for one key */
  of(key: string, rate: BucketRate, now: number): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(rate, now);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#capacity) this.#forgetOldest();
    return bucket;
  }

  clear(): void {
    this.#buckets.clear();
  }

  #forgetOldest(): void {
    const oldest = this.#buckets.keys().next();
    if (oldest.done !== true) this.#buckets.delete(oldest.value);
  }
}
