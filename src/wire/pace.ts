/** At most so many times in any second. */
export class Pace {
  readonly #most: number;
  readonly #takenAtMs: number[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** @returns whether once more is allowed now; then it counts */
  take(now: number): boolean {
    if (this.#takenAtMs.length >= this.#most) {
      if (now - (this.#takenAtMs[0] ?? 0) < 1_000) return false;
      this.#takenAtMs.shift();
    }
    return this.#takenAtMs.push(now) > 0;
  }
}
