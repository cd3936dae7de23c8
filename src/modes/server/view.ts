/** How a person is, as those who look know it. */
export interface Seen {
  /** Null where nobody has the name, or it was asked for by one member alone. */
  readonly userId: Uint8Array | null;
  readonly online: boolean;
  /** User ids in hex of those whom this person has blocked: to them nobody is there. */
  readonly hiddenFrom: ReadonlySet<string>;
}

/** Names that one member hears of. */
export const MAX_NAMES = 500;

/** The names somebody looks at and how they are. Of everyone it takes whoever comes, also in the place of who went first. */
export class View {
  readonly everyone: boolean;
  /** Null: asked for, and not known yet. */
  readonly #seen: Map<string, Seen | null>;
  readonly #asked: ReadonlySet<string>;
  /** Offline, and not asked for by name; who went first comes first. */
  readonly #gone = new Set<string>();

  constructor(names: readonly string[], everyone: boolean) {
    this.everyone = everyone;
    this.#asked = new Set(names);
    this.#seen = new Map(names.map((name) => [name, null]));
  }

  /** Asked for by name. */
  get names(): Iterable<string> {
    return this.#asked;
  }

  /** All that is known. */
  get known(): ReadonlyMap<string, Seen> {
    return new Map([...this.#seen].flatMap(([name, seen]) => (seen === null ? [] : [[name, seen] as const])));
  }

  /** Those not asked for of whom there is nothing to tell are left out. */
  get worthTelling(): ReadonlyMap<string, Seen> {
    return new Map([...this.known].filter(([name, { online }]) => online || this.#asked.has(name)));
  }

  /** Null where nothing is known. */
  get(name: string): Seen | null {
    return this.#seen.get(name) ?? null;
  }

  /** Whether it holds the name, or would take it. */
  wants(name: string, online: boolean, untold: ReadonlyMap<string, Seen>): boolean {
    return this.#seen.has(name) || (online && this.everyone && this.#hasRoom(untold));
  }

  /** @param untold names that keep their place for now. @returns false when it does not want to know */
  set(name: string, seen: Seen, untold: ReadonlyMap<string, Seen>): boolean {
    if (!this.wants(name, seen.online, untold)) return false;
    if (!this.#seen.has(name) && this.#seen.size >= MAX_NAMES) this.#forgetFirst();
    this.#seen.set(name, seen);
    this.#gone.delete(name);
    if (!seen.online && !this.#asked.has(name)) this.#gone.add(name);
    return true;
  }

  #hasRoom(untold: ReadonlyMap<string, Seen>): boolean {
    if (this.#seen.size < MAX_NAMES) return true;
    const first = this.#first();
    return first !== null && !untold.has(first);
  }

  #forgetFirst(): void {
    const first = this.#first();
    if (first === null) return;
    this.#gone.delete(first);
    this.#seen.delete(first);
  }

  #first(): string | null {
    const first = this.#gone.values().next();
    return first.done === true ? null : first.value;
  }
}
