/** Remembers what was added last, up to a number; forgetting is harmless to who uses it. */
export class RecentSet {
  readonly #capacity: number;
  readonly #keys = new Set<string>();

  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size > this.#capacity && oldest.done !== true) this.#keys.delete(oldest.value);
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }
}
