/** What a figure has to be, and what it should be, as words. */
export interface Goal {
  readonly must?: string;
  readonly aim?: string;
}

/** One line of a bench: the figure beside what it is held against. */
export function row(what: string, figure: string, { must, aim }: Goal = {}): void {
  const goals = [...(must === undefined ? [] : [`must ${must}`]), ...(aim === undefined ? [] : [`aim ${aim}`])];
  const goal = goals.length === 0 ? "" : `(${goals.join(", ")})`;
  process.stdout.write(`${what.padEnd(44)} ${figure.padEnd(28)} ${goal}`.trimEnd() + "\n");
}

/** Single measurements, for their middle and their worst. */
export class Samples {
  readonly #values: number[] = [];

  get count(): number {
    return this.#values.length;
  }

  add(...values: readonly number[]): void {
    this.#values.push(...values);
  }

  /** Both together. */
  and(other: Samples): Samples {
    const both = new Samples();
    both.add(...this.#values, ...other.#values);
    return both;
  }

  /** @param share 0.5 for the median. NaN where there are none */
  at(share: number): number {
    const sorted = Float64Array.from(this.#values).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }

  /** Of milliseconds: `p50 / p99 / worst`. */
  get milliseconds(): string {
    return `${[0.5, 0.99, 1].map((share) => this.at(share).toFixed(1)).join(" / ")} ms`;
  }
}
