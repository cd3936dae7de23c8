/**
 * Why no more bulk leaves: `application`: nothing is given to send. `credit`: the other end gives no leave for more. `buffer`: all
 * that may be held until it is acknowledged is held. `window`, `pacing`: the congestion controller. `path`: none may carry it.
 */
export type LimitReason = "application" | "credit" | "buffer" | "window" | "pacing" | "path";

/** Time for each reason. Milliseconds. */
export type LimitTimes = Readonly<Record<LimitReason, number>>;

/** How long the sender stood for which reason: a reason holds from where the sender stopped until it stops the next time. */
export class LimitClock {
  readonly #spentMs: Record<LimitReason, number> = noTimes();
  #reason: LimitReason = "application";
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  get reason(): LimitReason {
    return this.#reason;
  }

  /** The sender has stopped. */
  stopped(now: number, reason: LimitReason): void {
    this.#spentMs[this.#reason] += now - this.#since;
    this.#since = now;
    this.#reason = reason;
  }

  /** With the reason that still holds, up to `now`. */
  times(now: number): LimitTimes {
    const running = this.#spentMs[this.#reason] + Math.max(0, now - this.#since);
    return { ...this.#spentMs, [this.#reason]: running };
  }
}

function noTimes(): Record<LimitReason, number> {
  return { application: 0, credit: 0, buffer: 0, window: 0, pacing: 0, path: 0 };
}
