import type { Clock } from "./clock.ts";

/** In one turn of the loop: a handshake, which costs about as much, or several smaller things. Milliseconds. */
const BUDGET_MS = 0.5;

/**
 * Work for whoever is not in yet, a little in each turn of the loop: when hundreds come at once, those who are signed in wait for a few
 * handshakes and not for all of them. In the order in which it comes; at once where there is nothing to wait for.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  readonly #waiting = new Map<() => void, number>();
  #spentMs = 0;
  #isPerforming = false;
  #isNextPlanned = false;

  /** @param onFault takes what a task throws */
  constructor(clock: Clock, onFault: (error: unknown) => void) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** @param laterMs what it will go on to do in promises, which run before the next turn, too */
  run(task: () => void, laterMs = 0): void {
    this.#waiting.set(task, laterMs);
    // What a task adds is gone on with by the loop that performs it, which knows what is spent.
    if (!this.#isPerforming) this.#go();
  }

  /** @returns what the task does, when its turn has come */
  async answer<T>(task: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve) => this.run(() => resolve(Promise.try(task))));
  }

  #go(): void {
    for (const [task, laterMs] of this.#waiting) {
      if (this.#spentMs >= BUDGET_MS) break;
      this.#waiting.delete(task);
      this.#perform(task);
      this.#spentMs += laterMs;
    }
    if (!this.#isNextPlanned) setImmediate(() => this.#next());
    this.#isNextPlanned = true;
  }

  #next(): void {
    this.#isNextPlanned = false;
    this.#spentMs = 0;
    if (this.#waiting.size > 0) this.#go();
  }

  #perform(task: () => void): void {
    const start = this.#clock.now();
    this.#isPerforming = true;
    try {
      task();
    } catch (error) {
      this.#onFault(error);
    }
    this.#isPerforming = false;
    this.#spentMs += this.#clock.now() - start;
  }
}
