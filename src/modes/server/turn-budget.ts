/** What is relayed in one turn of the event loop: about two milliseconds of work. Bytes. */
const MOST_BYTES = 2 * 1_024 * 1_024;
/** What anything costs, however short. Bytes. */
const LEAST_BYTES = 4_096;

/** What becomes of the rest of a turn. Neither call throws. */
export interface TurnEvents {
  /** Nothing more should come in this turn. */
  spent(): void;
  /** The next turn begins. */
  renewed(): void;
}

/**
 * A turn of the event loop lasts for as long as datagrams wait at a UDP socket, and under a flood that is for ever. What is left unread
 * meanwhile is everybody's signalling: so relaying has its share of each turn, and what comes beyond that is dropped. Counted in bytes and
 * not in time, which also passes while others have the processor.
 */
export class TurnBudget {
  readonly #events: TurnEvents;
  #spentBytes = 0;

  constructor(events: TurnEvents) {
    this.#events = events;
  }

  /** @returns whether there was room for it in this turn */
  take(bytes: number): boolean {
    if (this.#spentBytes >= MOST_BYTES) return false;
    if (this.#spentBytes === 0) setImmediate(() => this.#renew());
    this.#spentBytes += Math.max(LEAST_BYTES, bytes);
    if (this.#spentBytes >= MOST_BYTES) this.#events.spent();
    return true;
  }

  #renew(): void {
    const wasSpent = this.#spentBytes >= MOST_BYTES;
    this.#spentBytes = 0;
    if (wasSpent) this.#events.renewed();
  }
}
