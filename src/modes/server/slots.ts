import type { Clock } from "./clock.ts";
import { Refusal } from "./refusal.ts";

/** Runs so many tasks at once and lets a few more wait a little; who comes then is told `busy`. */
export class Slots {
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #maxWaitMs: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(clock: Clock, slots: number, maxWaiting: number, maxWaitMs: number) {
    this.#clock = clock;
    this.#free = slots;
    this.#maxWaiting = maxWaiting;
    this.#maxWaitMs = maxWaitMs;
  }

  /** @throws Refusal `busy` */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.#take();
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  async #take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    if (this.#waiting.length >= this.#maxWaiting) throw this.#busy();
    await new Promise<void>((resolve, reject) => {
      const cancel = this.#clock.after(this.#maxWaitMs, () => {
        this.#waiting.splice(this.#waiting.indexOf(start), 1);
        reject(this.#busy());
      });
      const start = () => (cancel(), resolve());
      this.#waiting.push(start);
    });
  }

  /** The slot goes from hand to hand. */
  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  #busy(): Refusal {
    return new Refusal("busy", "too many people sign in at this moment", this.#maxWaitMs);
  }
}
