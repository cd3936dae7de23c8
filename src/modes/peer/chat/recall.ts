/** Lines kept for the up key. */
const MAX_LINES = 200;

/** What was written before, for the up and down keys; what is being written now is kept below it. */
export class Recall {
  readonly #lines: string[] = [];
  #at = 0;
  #draft = "";

  add(line: string): void {
    if (this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#at = this.#lines.length;
    this.#draft = "";
  }

  /** @param current what stands in the line now. @returns null when there is nothing older */
  older(current: string): string | null {
    if (this.#at === 0) return null;
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at -= 1;
    return this.#lines[this.#at] ?? null;
  }

  /** @returns null when nothing is newer */
  newer(): string | null {
    if (this.#at >= this.#lines.length) return null;
    this.#at += 1;
    return this.#lines[this.#at] ?? this.#draft;
  }
}
