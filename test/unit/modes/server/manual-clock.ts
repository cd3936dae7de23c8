import type { Clock } from "../../../../src/modes/server/clock.ts";

/** Stands still until it is told to move; then everything due happens, in order. */
export class ManualClock implements Clock {
  #nowMs = 1_000;
  readonly #due: { readonly atMs: number; readonly action: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return 1_800_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, action: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, action };
    this.#due.push(entry);
    return () => this.#remove(entry);
  }

  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#next(endMs); next !== null; next = this.#next(endMs)) {
      this.#remove(next);
      this.#nowMs = next.atMs;
      next.action();
    }
    this.#nowMs = endMs;
  }

  /** What is still put off. */
  get pending(): number {
    return this.#due.length;
  }

  #next(endMs: number) {
    const due = this.#due.filter(({ atMs }) => atMs <= endMs);
    return due.length === 0 ? null : due.reduce((first, entry) => (entry.atMs < first.atMs ? entry : first));
  }

  #remove(entry: { readonly atMs: number }): void {
    const at = this.#due.findIndex((each) => each === entry);
    if (at >= 0) this.#due.splice(at, 1);
  }
}
