/** Long searches of, or for, one address in {@link PERIOD_MS}. */
const MOST_PER_ADDRESS = 6;
const PERIOD_MS = 600_000;
/** Addresses that are remembered; beyond it the one searched longest ago starts afresh. */
const MAX_ADDRESSES = 1_024;

/**
 * One search for ports at a time in a process, whatever the sessions in it want, and a few towards one address: each fills tables in
 * somebody's router, and neither new sessions nor another end that wanders between addresses makes that more.
 */
export class SearchTurn {
  #holder: object | null = null;
  /** When the latest long ones began, by IP. */
  readonly #longAt = new Map<string, readonly number[]>();

  /** @returns whether it is `who`'s turn, now or still */
  take(who: object): boolean {
    this.#holder ??= who;
    return this.#holder === who;
  }

  release(who: object): void {
    if (this.#holder === who) this.#holder = null;
  }

  /** When the next long search towards this IP may begin; -Infinity for at once. */
  allowedAt(ip: string): number {
    return (this.#longAt.get(ip)?.at(-MOST_PER_ADDRESS) ?? -Infinity) + PERIOD_MS;
  }

  /** A long search towards this IP begins. */
  note(now: number, ip: string): void {
    const latest = [...(this.#longAt.get(ip) ?? []), now].slice(-MOST_PER_ADDRESS);
    this.#longAt.delete(ip);
    this.#longAt.set(ip, latest);
    const [oldest] = this.#longAt.keys();
    if (this.#longAt.size > MAX_ADDRESSES && oldest !== undefined) this.#longAt.delete(oldest);
  }
}
