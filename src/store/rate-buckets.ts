export interface BucketRate {
  /** Tokens that come back. */
  readonly perSecond: number;
  /** Tokens at most. */
  readonly burst: number;
}

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
}
