/** Monotonic time and what can be put off. Programs use {@link systemClock}; tests bring one that jumps. */
export interface Clock {
  /** Milliseconds from an arbitrary start, never decreasing. */
  now(): number;
  /** Once, after `delayMs`. @returns how to call it off */
  after(delayMs: number, run: () => void): () => void;
  /** Once, when the callbacks of the present turn are through. @returns how to call it off */
  soon(run: () => void): () => void;
}

/** What timers of the runtime hold; longer ones would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
  soon(run) {
    const immediate = setImmediate(run);
    return () => clearImmediate(immediate);
  },
};
