import type { Attempts } from "../../store/attempts.ts";
import type { RateBuckets } from "../../store/rate-buckets.ts";
import { networkOf } from "../../wire/address.ts";
import type { LimitKeys } from "./limit-keys.ts";
import { type BucketRate, shareOf } from "./rate-limit.ts";

/** Where the limits are counted that hold over all nodes. What protects a node itself is counted there alone. */
export interface SharedLimits {
  readonly buckets: RateBuckets;
  readonly attempts: Attempts;
  readonly names: LimitKeys;
}

/** One bucket per IPv4 address or IPv6 network, for all nodes. */
export class SharedAddressBuckets {
  readonly #shared: SharedLimits;
  readonly #limit: string;
  readonly #rate: BucketRate;

  /** @param limit its name, which no other has */
  constructor(shared: SharedLimits, limit: string, rate: BucketRate) {
    this.#shared = shared;
    this.#limit = limit;
    this.#rate = rate;
  }

  /** @returns 0 when taken; else it is in how many milliseconds it can be */
  async take(ip: string): Promise<number> {
    return this.#shared.buckets.take(this.#keyOf(ip), this.#rate, 1 / shareOf(ip));
  }

  /** As `take`, but takes nothing. */
  async waitMs(ip: string): Promise<number> {
    return this.#shared.buckets.waitMs(this.#keyOf(ip), this.#rate, 1 / shareOf(ip));
  }

  #keyOf(ip: string): string {
    return this.#shared.names.of(this.#limit, networkOf(ip));
  }
}
