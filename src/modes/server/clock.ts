import { systemClock as timers } from "../runtime/clock.ts";

/** Time, for everything here that waits: the system's in a running server, a test's own in a test. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  unixMs(): number;
  /** Runs `action` once. @returns a function that calls it off */
  after(delayMs: number, action: () => void): () => void;
}

/** @param onFault takes what an action throws, which would otherwise end the process */
export function systemClock(onFault: (error: unknown) => void): Clock {
  return {
    now: () => timers.now(),
    unixMs: () => Date.now(),
    after: (delayMs, action) =>
      timers.after(delayMs, () => {
        try {
          action();
        } catch (error) {
          onFault(error);
        }
      }),
  };
}
