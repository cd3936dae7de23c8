/** One question, asked at once and again at set times until somebody has the answer. */
export class Repeats {
  readonly #startedAt: number;
  readonly #offsetsMs: readonly number[];
  #asked = 0;

  /** @param offsetsMs when to ask, counted from now. Milliseconds */
  constructor(now: number, offsetsMs: readonly number[]) {
    this.#startedAt = now;
    this.#offsetsMs = offsetsMs;
  }

  /** When it is to be asked next; Infinity when that was enough. */
  get dueAt(): number {
    return this.#startedAt + (this.#offsetsMs[this.#asked] ?? Infinity);
  }

  /** @returns whether to ask now. What was missed is not made up for. */
  take(now: number): boolean {
    if (now < this.dueAt) return false;
    while (now >= this.dueAt) this.#asked++;
    return true;
  }
}
