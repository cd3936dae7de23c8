/** Disjoint half-open ranges of whole numbers, ascending; ranges that touch are one. */
export class RangeSet {
  /** start, end, start, end … */
  readonly #edges: number[] = [];

  get count(): number {
    return this.#edges.length / 2;
  }

  startAt(index: number): number {
    return this.#edges[2 * index] ?? Number.POSITIVE_INFINITY;
  }

  endAt(index: number): number {
    return this.#edges[2 * index + 1] ?? Number.POSITIVE_INFINITY;
  }

  /** @returns how many numbers were not in it before */
  add(start: number, end: number): number {
    if (start >= end) return 0;
    const newest = this.#edges.length - 1;
    // Most numbers come in order.
    if (newest < 0) this.#edges.push(start, end);
    else if (this.#edges[newest] === start) this.#edges[newest] = end;
    else return this.#merge(start, end);
    return end - start;
  }

  #merge(start: number, end: number): number {
    const first = this.#firstEndingAt(start);
    let [low, high, known, last] = [start, end, 0, first];
    for (; this.startAt(last) <= end; last++) {
      known += this.endAt(last) - this.startAt(last);
      low = Math.min(low, this.startAt(last));
      high = Math.max(high, this.endAt(last));
    }
    if (last === first + 1) this.#set(first, low, high);
    else this.#edges.splice(2 * first, 2 * (last - first), low, high);
    return high - low - known;
  }

  remove(start: number, end: number): void {
    if (start >= end || this.startAt(0) >= end) return;
    // And most are done with from the front.
    if (start <= this.startAt(0) && end < this.endAt(0)) {
      this.#edges[0] = end;
      return;
    }
    const first = this.#firstEndingAt(start + 1);
    const kept: number[] = [];
    let last = first;
    for (; this.startAt(last) < end; last++) {
      if (this.startAt(last) < start) kept.push(this.startAt(last), start);
      if (this.endAt(last) > end) kept.push(end, this.endAt(last));
    }
    this.#edges.splice(2 * first, 2 * (last - first), ...kept);
  }

  clear(): void {
    this.#edges.length = 0;
  }

  /** Nothing of it is at `number` or beyond. */
  isBefore(number: number): boolean {
    return this.count === 0 || this.endAt(this.count - 1) <= number;
  }

  /** The parts of a range that are not in the set, in order. */
  *missing(start: number, end: number): Generator<readonly [start: number, end: number]> {
    let at = start;
    for (let index = this.#firstEndingAt(start + 1); at < end && this.startAt(index) < end; index++) {
      if (this.startAt(index) > at) yield [at, this.startAt(index)];
      at = this.endAt(index);
    }
    if (at < end) yield [at, end];
  }

  /** @returns the index of the first range that ends at `number` or later. Most questions are about one of the two ends. */
  #firstEndingAt(number: number): number {
    let [low, high] = [0, this.count];
    if (high === 0 || this.endAt(0) >= number) return 0;
    if (this.endAt(high - 1) < number) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.endAt(middle) >= number) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #set(index: number, start: number, end: number): void {
    this.#edges[2 * index] = start;
    this.#edges[2 * index + 1] = end;
  }
}
