import { networkOf, scopeOf } from "../../wire/address.ts";

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

/**
 * So many more has this machine itself: the operator's own programs, or everybody behind a proxy that was not named. Not any number,
 * because of that proxy.
 */
const LOOPBACK_SHARE = 10;

/** One bucket, full at first. */
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

  /** Takes even what is not there: the next one waits the longer. */
  spend(now: number, cost: number): void {
    if (this.#rate.perSecond === 0) return;
    this.#refill(now);
    this.#tokens -= cost;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((now - this.#at) / 1_000) * this.#rate.perSecond);
    this.#at = now;
  }
}

/** One bucket per key: an account, a name, a pair of people. */
export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #capacity: number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: BucketRate, capacity = MAX_BUCKETS) {
    this.#rate = rate;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#buckets.size;
  }

  take(key: string, now: number, cost = 1): number {
    return this.#bucket(key, now).take(now, cost);
  }

  waitMs(key: string, now: number, cost = 1): number {
    return this.#bucket(key, now).waitMs(now, cost);
  }

  /** A map keeps the order in which its keys were set, so the first one is the one used longest ago. */
  #bucket(key: string, now: number): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, now);
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

/** One bucket per IPv4 address or IPv6 network. */
export class AddressBuckets {
  readonly #buckets: TokenBuckets;

  constructor(rate: BucketRate) {
    this.#buckets = new TokenBuckets(rate);
  }

  take(ip: string, now: number): number {
    return this.#buckets.take(networkOf(ip), now, 1 / shareOf(ip));
  }

  waitMs(ip: string, now: number): number {
    return this.#buckets.waitMs(networkOf(ip), now, 1 / shareOf(ip));
  }
}

/** How many times the limit of an address holds for this one. */
export function shareOf(ip: string): number {
  return scopeOf(ip) === "loopback" ? LOOPBACK_SHARE : 1;
}
