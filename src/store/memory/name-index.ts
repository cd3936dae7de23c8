import type { OnlinePerson } from "../presence.ts";

/** People in order of name, kept in order: sorting anew for each page would cost milliseconds with ten thousand of them. */
export class NameIndex {
  readonly #people: OnlinePerson[] = [];

  /** @returns false when the name was there */
  add(person: OnlinePerson): boolean {
    const at = this.#firstNotBefore(person.name);
    if (this.#people[at]?.name === person.name) return false;
    this.#people.splice(at, 0, person);
    return true;
  }

  /** @returns false when the name was not there */
  remove(name: string): boolean {
    const at = this.#firstNotBefore(name);
    if (this.#people[at]?.name !== name) return false;
    this.#people.splice(at, 1);
    return true;
  }

  /** At most `limit` people whose names come after `after`. */
  page(after: string, limit: number): readonly OnlinePerson[] {
    const found = this.#firstNotBefore(after);
    const from = this.#people[found]?.name === after ? found + 1 : found;
    return this.#people.slice(from, from + limit);
  }

  #firstNotBefore(name: string): number {
    let low = 0;
    let high = this.#people.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#people[middle]?.name ?? "") < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
