import type { OnTrouble } from "../trouble.ts";

/** Gap between two that Redis is away. Milliseconds. */
const QUIET_MS = 30_000;

/** Tells that Redis is away, and that it is back, seldom enough for a log. */
export class TroubleTeller {
  readonly #place: string;
  readonly #onTrouble: OnTrouble;
  readonly #now: () => number;
  #toldAt = Number.NEGATIVE_INFINITY;
  #isTold = false;

  constructor(place: string, onTrouble: OnTrouble, now: () => number = () => performance.now()) {
    this.#place = place;
    this.#onTrouble = onTrouble;
    this.#now = now;
  }

  away(reason: string): void {
    if (this.#now() - this.#toldAt < QUIET_MS) return;
    this.#toldAt = this.#now();
    this.#isTold = true;
    this.#onTrouble({ event: "presence-away", place: this.#place, reason });
  }

  back(): void {
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#onTrouble({ event: "presence-back", place: this.#place, reason: "answers again" });
  }
}
