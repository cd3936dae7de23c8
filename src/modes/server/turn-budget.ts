/** What relaying may take of one turn of the event loop. Milliseconds. */
const MOST_MS = 4;

/**
 * A turn of the event loop lasts for as long as datagrams wait at a UDP socket, and under a flood that is for ever. What is left unread
 * meanwhile is everybody's signalling: so what comes after a while in one turn is dropped, which goes faster than it can come.
 */
export class TurnBudget {
  readonly #now: () => number;
  #startedAtMs: number | null = null;

  /** @param now monotonic ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether there is time left in this turn. */
  hasTime(): boolean {
    const now = this.#now();
    if (this.#startedAtMs === null) setImmediate(() => (this.#startedAtMs = null));
    this.#startedAtMs ??= now;
    return now - this.#startedAtMs < MOST_MS;
  }
}
