/** Something that opens or fails, and can be stopped. */
export interface Opening {
  open(): Promise<void>;
  close(): void;
}

/** What a node has for itself before the next one is tried beside it: a network may swallow what goes to one port and pass another. Milliseconds. */
const HEAD_START_MS = 500;

/** Tries several in order until one is open; the next begins when the one before has failed or takes long. */
export class FirstToOpen<T extends Opening> {
  readonly #starts: (() => T)[];
  readonly #running = new Set<T>();
  readonly #errors: unknown[] = [];
  readonly #outcome = Promise.withResolvers<T>();
  readonly #headStartMs: number;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(starts: readonly (() => T)[], headStartMs = HEAD_START_MS) {
    this.#starts = [...starts];
    this.#headStartMs = headStartMs;
  }

  /** @throws AggregateError the errors of all, in the order in which they came; or what kept one from beginning at all */
  async winner(): Promise<T> {
    if (this.#starts.length === 0) throw new AggregateError([]);
    this.#startNext();
    return this.#outcome.promise;
  }

  close(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const each of this.#running) each.close();
  }

  #startNext(): void {
    clearTimeout(this.#timer);
    const start = this.#isOver ? undefined : this.#starts.shift();
    if (start === undefined) return;
    if (this.#starts.length > 0) this.#timer = setTimeout(() => this.#startNext(), this.#headStartMs);
    try {
      this.#follow(start());
    } catch (error) {
      this.close();
      this.#outcome.reject(error);
    }
  }

  #follow(opening: T): void {
    this.#running.add(opening);
    opening.open().then(
      () => this.#opened(opening),
      (error: unknown) => this.#failed(opening, error),
    );
  }

  #opened(opening: T): void {
    this.#running.delete(opening);
    if (this.#isOver) opening.close();
    else this.#outcome.resolve(opening);
    this.close();
    this.#lost();
  }

  #failed(opening: T, error: unknown): void {
    this.#running.delete(opening);
    this.#errors.push(error);
    this.#lost();
    this.#startNext();
  }

  /** When there is nobody left; which means nothing where one has won. */
  #lost(): void {
    const isLast = this.#running.size === 0 && (this.#isOver || this.#starts.length === 0);
    if (isLast) this.#outcome.reject(new AggregateError(this.#errors));
  }
}
