/** How attempts of one kind are slowed down. */
export interface AttemptRule {
  /** So many wait for nothing. */
  readonly free: number;
  /** What the next one waits after the one before it; each further one waits twice as long. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** After so long without one all are forgotten; longer than the longest wait. */
  readonly forgottenAfterMs: number;
}

/**
 * Attempts that all nodes count together, such as passwords tried on one account; the clock is that of the place that holds
 * them. While it is away each node counts by itself.
 */
export interface Attempts extends AsyncDisposable {
  /**
   * Counts an attempt before it is made, so that many at the same moment are not all the first.
   * @param key what is tried, at most 256 characters; always used with the same rule
   * @returns 0 when counted; else nothing is counted, and it is in how many milliseconds it can be
   */
  begin(key: string, rule: AttemptRule): Promise<number>;
  /** Forgets all of them: one has succeeded. */
  clear(key: string): Promise<void>;
}
