import type { BucketRate } from "./token-bucket.ts";

export type { BucketRate };

/**
 * Token buckets that all nodes draw from, full at first; the clock is that of the place that holds them. While it is away
 * each node counts by itself.
 */
export interface RateBuckets extends AsyncDisposable {
  /**
   * @param key what is limited, at most 256 characters; always used with the same rate
   * @returns 0 when taken; else nothing is taken, and it is in how many milliseconds it can be
   */
  take(key: string, rate: BucketRate, cost?: number): Promise<number>;
  /** As `take`, but takes nothing. */
  waitMs(key: string, rate: BucketRate, cost?: number): Promise<number>;
  /**
   * Takes even what is not there: the next one waits the longer.
   * @returns the tokens that are left, below 0 for a debt; the burst where there is no limit
   */
  spend(key: string, rate: BucketRate, cost: number): Promise<number>;
}
