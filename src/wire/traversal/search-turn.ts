/** One search for ports at a time in a process, whatever the sessions in it want: each fills tables in somebody's router. */
export class SearchTurn {
  #holder: object | null = null;

  /** @returns whether it is `who`'s turn, now or still */
  take(who: object): boolean {
    this.#holder ??= who;
    return this.#holder === who;
  }

  release(who: object): void {
    if (this.#holder === who) this.#holder = null;
  }
}
