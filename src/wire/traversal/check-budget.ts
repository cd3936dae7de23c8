/** What a check counts for, header and tag included. Bytes. */
export const CHECK_BYTES = 64;
/** Per peer and minute. Bytes. */
export const MAX_BYTES_PER_MINUTE = 16_384;
/** Different ones, per peer and minute. */
export const MAX_ADDRESSES_PER_MINUTE = 12;

const MINUTE_MS = 60_000;
const MAX_CHECKS_PER_MINUTE = MAX_BYTES_PER_MINUTE / CHECK_BYTES;
/** At 12 addresses a minute a peer needs 85 minutes to make one of them forgotten. */
const MAX_REMEMBERED = 1_024;

/** What one peer's addresses have cost: in the last minute all together, and each for as long as it has not answered. */
export class CheckBudget {
  /** The last minute, oldest first. */
  #checkedAt: number[] = [];
  /** The addresses of the last minute, and when each was checked last. */
  readonly #lastAt = new Map<string, number>();
  /** Least recently checked first. */
  readonly #unanswered = new Map<string, number>();

  /** Forgets what is older than a minute. */
  advance(now: number): void {
    const isOld = (at: number) => at <= now - MINUTE_MS;
    while (isOld(this.#checkedAt[0] ?? Infinity)) this.#checkedAt.shift();
    for (const [address, at] of this.#lastAt) if (isOld(at)) this.#lastAt.delete(address);
  }

  /** When the minute's budget allows another check of `address`; -Infinity when it does. */
  allowedAt(address: string): number {
    const byBytes = (this.#checkedAt.at(-MAX_CHECKS_PER_MINUTE) ?? -Infinity) + MINUTE_MS;
    const isCrowded = !this.#lastAt.has(address) && this.#lastAt.size >= MAX_ADDRESSES_PER_MINUTE;
    return Math.max(byBytes, isCrowded ? Math.min(...this.#lastAt.values()) + MINUTE_MS : -Infinity);
  }

  /** Checks since the last answer. */
  spentOn(address: string): number {
    return this.#unanswered.get(address) ?? 0;
  }

  spend(now: number, address: string): void {
    this.#checkedAt.push(now);
    this.#lastAt.set(address, now);
    this.#setSpent(address, this.spentOn(address) + 1);
  }

  /** The other end was heard from there, which is worth one more check. */
  refund(address: string, maxChecks: number): void {
    if (this.spentOn(address) >= maxChecks) this.#setSpent(address, maxChecks - 1);
  }

  answered(address: string): void {
    this.#unanswered.delete(address);
  }

  /** This end is somewhere else now, where everything may go differently. */
  startAnew(): void {
    this.#unanswered.clear();
  }

  #setSpent(address: string, spent: number): void {
    this.#unanswered.delete(address);
    this.#unanswered.set(address, spent);
    const [oldest] = this.#unanswered.keys();
    if (this.#unanswered.size > MAX_REMEMBERED && oldest !== undefined) this.#unanswered.delete(oldest);
  }
}
