import type { AttemptRule } from "../../store/attempts.ts";
import { defaultLimits, type Limits } from "../cli/limits.ts";
import { perMinute } from "./limits.ts";
import { RecentSet } from "./recent-set.ts";
import { Refusal } from "./refusal.ts";
import { SharedAddressBuckets, type SharedLimits } from "./shared-limits.ts";

const DELAYS = {
  firstDelayMs: 1_000,
  maxDelayMs: 900_000,
  /** After this long without a failure an account starts afresh. */
  forgottenAfterMs: 3_600_000,
};

export interface Guess {
  readonly name: string;
  readonly deviceKey: string;
  readonly ip: string;
}

/**
 * Slows down who guesses, and never for good: per account 1 s doubling to 15 min after some failures, per address so many failures a
 * minute, whichever nodes they come to. A device that has signed in to the account before is counted apart, so that strangers cannot keep
 * the owner out. Unknown names count like known ones.
 */
export class GuessingGuard {
  readonly #shared: SharedLimits;
  readonly #addresses: SharedAddressBuckets;
  /** For one account; null: no limit. */
  readonly #rule: AttemptRule | null;
  readonly #knownDevices = new RecentSet();

  constructor(shared: SharedLimits, limits: Limits = defaultLimits) {
    const free = limits["limit-guesses-per-account"];
    this.#shared = shared;
    this.#addresses = new SharedAddressBuckets(shared, "guesses", perMinute(limits["limit-guesses-per-address"]));
    this.#rule = free === 0 ? null : { free, ...DELAYS };
  }

  /**
   * Before any work is done. Counts as a failure of the account until `succeeded` takes it back: many guesses at the same moment would
   * otherwise all be the first.
   * @throws Refusal `limited`
   */
  async begin(guess: Guess): Promise<void> {
    const waitMs = (await this.addressWaitMs(guess.ip)) || (await this.#accountWaitMs(guess));
    if (waitMs > 0) throw new Refusal("limited", "too many wrong answers", waitMs);
  }

  async succeeded(guess: Guess): Promise<void> {
    await this.#shared.attempts.clear(this.#keyOf(guess));
    this.knows(guess.name, guess.deviceKey);
  }

  /** This device has signed in to that account. */
  knows(name: string, deviceKey: string): void {
    this.#knownDevices.add(`${name}/${deviceKey}`);
  }

  /** The answer was wrong, also one that names no account, such as an invitation. */
  async addressFailed(ip: string): Promise<void> {
    await this.#addresses.take(ip);
  }

  async addressWaitMs(ip: string): Promise<number> {
    return this.#addresses.waitMs(ip);
  }

  async #accountWaitMs(guess: Guess): Promise<number> {
    return this.#rule === null ? 0 : this.#shared.attempts.begin(this.#keyOf(guess), this.#rule);
  }

  #keyOf({ name, deviceKey }: Guess): string {
    const own = `${name}/${deviceKey}`;
    return this.#shared.names.of("account", this.#knownDevices.has(own) ? own : name);
  }
}
