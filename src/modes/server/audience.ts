import type { Clock } from "./clock.ts";
import type { Member } from "./members.ts";
import { News } from "./news.ts";
import type { Seen, View } from "./view.ts";

const BATCH_MS = 1_000;
/** Told in one go; then others have their turn. */
const SLICE = 128;

export interface Watcher {
  readonly member: Member;
  readonly audience: Audience;
  /** What is told to this one alone, by name. */
  own: Map<string, boolean> | null;
}

/** Members who look at the same view. They hear of it together, at once and then once a second at most. */
export class Audience {
  readonly view: View;
  readonly #clock: Clock;
  readonly #expected = new Set<Watcher>();
  /** Those who have heard how all are. */
  readonly #settled = new Set<Watcher>();
  readonly #fresh = new Set<Watcher>();
  #untold = new Map<string, Seen>();
  #nextAt: number;
  /** While something is to be told, or being told. */
  #cancel: (() => void) | null = null;

  constructor(view: View, clock: Clock) {
    this.view = view;
    this.#clock = clock;
    this.#nextAt = clock.now();
  }

  get isEmpty(): boolean {
    return this.#expected.size + this.#fresh.size + this.#settled.size === 0;
  }

  /** Will join. */
  expect(watcher: Watcher): void {
    this.#expected.add(watcher);
  }

  /** Hears how all are, then what changes. */
  join(watcher: Watcher): void {
    this.#expected.delete(watcher);
    this.#fresh.add(watcher);
    this.#soon();
  }

  leave(watcher: Watcher): void {
    for (const each of [this.#expected, this.#fresh, this.#settled]) each.delete(watcher);
    if (this.#fresh.size + this.#settled.size > 0) return;
    this.#cancel?.();
    this.#cancel = null;
    this.#untold.clear();
  }

  /** Whether a change of this person is of interest here. */
  wants(name: string, online: boolean): boolean {
    return this.view.wants(name, online, this.#untold);
  }

  change(name: string, seen: Seen): void {
    if (!this.view.set(name, seen, this.#untold) || this.#settled.size === 0) return;
    this.#untold.set(name, seen);
    this.#soon();
  }

  /** What is known of a name, without its being news. */
  learn(name: string, seen: Seen): void {
    this.view.set(name, seen, this.#untold);
    if (this.#untold.has(name)) this.#untold.set(name, seen);
  }

  tellOne(watcher: Watcher, name: string, online: boolean): void {
    watcher.own = (watcher.own ?? new Map<string, boolean>()).set(name, online);
    this.#soon();
  }

  #soon(): void {
    this.#cancel ??= this.#clock.after(Math.max(0, this.#nextAt - this.#clock.now()), () => this.#flush());
  }

  #flush(): void {
    this.#nextAt = this.#clock.now() + BATCH_MS;
    const [all, news] = [new News(this.view.worthTelling), new News(this.#untold)];
    const queue = [...this.#settled].map((watcher) => [watcher, news] as const);
    for (const watcher of this.#fresh) queue.push([watcher, all]);
    for (const watcher of this.#fresh) this.#settled.add(watcher);
    this.#fresh.clear();
    this.#untold = new Map();
    this.#tell(queue, 0);
  }

  #tell(queue: readonly (readonly [Watcher, News])[], from: number): void {
    const end = Math.min(queue.length, from + SLICE);
    for (const [watcher, news] of queue.slice(from, end)) if (this.#settled.has(watcher)) tell(watcher, news);
    if (end < queue.length) this.#cancel = this.#clock.after(0, () => this.#tell(queue, end));
    else this.#rest();
  }

  #rest(): void {
    this.#cancel = null;
    const isMore =
      this.#untold.size > 0 || this.#fresh.size > 0 || this.#settled.values().some(({ own }) => own !== null);
    if (isMore) this.#soon();
  }
}

function tell(watcher: Watcher, news: News): void {
  const { member, own } = watcher;
  watcher.own = null;
  const message = news.messageFor(member.identity.userId, own);
  if (message !== null) member.send(message);
}
