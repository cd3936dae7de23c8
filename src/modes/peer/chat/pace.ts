/** How many things may happen: some at once, then so many a second. */
export class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs = 0;

  constructor(perSecond: number, burst = perSecond) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** @param now monotonic, milliseconds. @returns false when it is too soon */
  take(now: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#atMs) * this.#perSecond) / 1_000);
    this.#atMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** When `take` will say yes again. Monotonic, milliseconds. */
  nextAt(): number {
    return this.#atMs + (Math.max(0, 1 - this.#tokens) * 1_000) / this.#perSecond;
  }
}
