/** So many checks towards one IP in {@link PERIOD_MS}, be they searches for the other end or openings towards it: six long ones. */
const MOST_CHECKS = 7_200;
const PERIOD_MS = 600_000;
/** Addresses that are remembered; beyond it the one searched longest ago starts afresh. */
const MAX_ADDRESSES = 1_024;

interface Begun {
  readonly at: number;
  readonly checks: number;
}

/**
 * One search for ports at a time in a process, whatever the sessions in it want, and a few towards one address: each fills tables in
 * somebody's router, and neither new sessions nor another end that wanders between addresses makes that more.
 */
export class SearchTurn {
  #holder: object | null = null;
  /** By IP, oldest first. */
  readonly #begun = new Map<string, readonly Begun[]>();

  /** @returns whether it is `who`'s turn, now or still */
  take(who: object): boolean {
    this.#holder ??= who;
    return this.#holder === who;
  }

  release(who: object): void {
    if (this.#holder === who) this.#holder = null;
  }

  /** When one more of so many checks may go towards this IP. */
  allowedAt(now: number, ip: string, checks: number): number {
    const recent = this.#recent(now, ip);
    let excess = recent.reduce((sum, each) => sum + each.checks, checks) - MOST_CHECKS;
    for (const { at, checks } of recent) {
      if (excess <= 0) break;
      excess -= checks;
      if (excess <= 0) return at + PERIOD_MS;
    }
    return now;
  }

  /** One begins. */
  note(now: number, ip: string, checks: number): void {
    const recent = [...this.#recent(now, ip), { at: now, checks }];
    this.#begun.delete(ip);
    this.#begun.set(ip, recent);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > MAX_ADDRESSES && oldest !== undefined) this.#begun.delete(oldest);
  }

  #recent(now: number, ip: string): readonly Begun[] {
    return (this.#begun.get(ip) ?? []).filter(({ at }) => at > now - PERIOD_MS);
  }
}
