/**
 * The best of the values of the last `span`, in whatever the caller counts: rounds, milliseconds. A value that is both older and no
 * better than another can never be the best again and is dropped, so that it holds one per step of the span at most.
 */
export class WindowedFilter {
  readonly #span: number;
  readonly #isBetter: (a: number, b: number) => boolean;
  /** Oldest and best first. */
  readonly #entries: Entry[] = [];

  constructor(span: number, isBetter: (a: number, b: number) => boolean) {
    this.#span = span;
    this.#isBetter = isBetter;
  }

  /** Null before the first value. */
  get value(): number | null {
    return this.#entries[0]?.value ?? null;
  }

  /** @param at never decreasing */
  update(at: number, value: number): void {
    while (this.#entries.length > 0 && at - (this.#entries[0]?.at ?? at) > this.#span) this.#entries.shift();
    let last = this.#entries.at(-1);
    while (last !== undefined && !this.#isBetter(last.value, value)) {
      this.#entries.pop();
      last = this.#entries.at(-1);
    }
    if (last?.at !== at) this.#entries.push({ at, value });
  }
}

interface Entry {
  readonly at: number;
  readonly value: number;
}
