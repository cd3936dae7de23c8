import { Link, type LinkOptions } from "./link.ts";
import { Seeded } from "./seeded.ts";

/** Anything with a core in it: it is asked when it wants to be woken, and woken. */
export interface SimHost {
  /** Null: not at all. */
  wakeAt(): number | null;
  wake(): void;
}

interface Happening {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** So many steps without the clock moving are a loop. */
const MAX_STEPS_AT_ONCE = 100_000;

/** A network in one process with a clock of its own that jumps from one happening to the next. Same seed, same bytes. */
export class SimNetwork {
  readonly seed: number;
  readonly random: Seeded;
  now = 0;
  readonly #hosts: SimHost[] = [];
  readonly #heap: Happening[] = [];
  #order = 0;
  #wakesNow = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.random = new Seeded(seed);
  }

  add(host: SimHost): void {
    this.#hosts.push(host);
  }

  link(options: LinkOptions): Link {
    return new Link(options, this.random.fork());
  }

  /** Carries a copy of the bytes over a link. */
  carry(link: Link, bytes: Uint8Array, deliver: (bytes: Uint8Array) => void): void {
    for (const at of link.arrivals(this.now, bytes.length)) {
      const copy = bytes.slice();
      this.at(at, () => deliver(copy));
    }
  }

  at(at: number, run: () => void): void {
    push(this.#heap, { at, order: this.#order++, run });
  }

  in(afterMs: number, run: () => void): void {
    this.at(this.now + afterMs, run);
  }

  /** @throws Error, with the seed, when it does not come true within `limitMs` of the virtual clock */
  runUntil(isTrue: () => boolean, limitMs: number, what = "the condition"): void {
    const limit = this.now + limitMs;
    while (!isTrue()) {
      const isOver = !this.#step(limit);
      if (isOver && !isTrue()) throw new Error(`seed ${this.seed}: ${what} is not met after ${limitMs} ms`);
      if (isOver) return;
    }
  }

  runFor(ms: number): void {
    const limit = this.now + ms;
    while (this.#step(limit));
    this.now = limit;
  }

  /** One happening, or one host woken. @returns false when nothing happens up to `limit` */
  #step(limit: number): boolean {
    let next = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    let host: SimHost | null = null;
    for (const each of this.#hosts) {
      const at = each.wakeAt();
      if (at === null || at >= next) continue;
      next = Math.max(at, this.now);
      host = each;
    }
    if (next > limit) return false;
    this.#wakesNow = next > this.now ? 0 : this.#wakesNow + 1;
    if (this.#wakesNow > MAX_STEPS_AT_ONCE) throw new Error(`seed ${this.seed}: time stands still at ${this.now} ms`);
    this.now = Math.max(this.now, next);
    if (host !== null) host.wake();
    else pop(this.#heap)?.run();
    return true;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

function push(heap: Happening[], item: Happening): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !isBefore(item, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = item;
}

function pop(heap: Happening[]): Happening | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    const [left, right] = [heap[child], heap[child + 1]];
    if (left !== undefined && right !== undefined && isBefore(right, left)) child++;
    const least = heap[child];
    if (least === undefined || !isBefore(least, last)) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = last;
  return first;
}
