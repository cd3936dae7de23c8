import { defaultLimits, type Limits } from "../cli/limits.ts";
import type { Clock } from "./clock.ts";
import { orNone, perMinute } from "./limits.ts";
import { AddressBuckets } from "./rate-limit.ts";
import { RecentSet } from "./recent-set.ts";
import { Refusal } from "./refusal.ts";

const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 900_000;
/** After this long without a failure an account starts afresh. */
const FORGOTTEN_AFTER_MS = 3_600_000;
const MAX_ACCOUNTS = 100_000;

interface Failures {
  readonly count: number;
  readonly lastAt: number;
}

export interface Guess {
  readonly name: string;
  readonly deviceKey: string;
  readonly ip: string;
}

/**
 * Slows down who guesses, and never for good: per account 1 s doubling to 15 min after some failures, per address so many failures a
 * minute. A device that has signed in to the account before is counted apart, so that strangers cannot keep the owner out. Unknown names
 * count like known ones.
 */
export class GuessingGuard {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Failures>();
  readonly #addresses: AddressBuckets;
  /** Wrong passwords before an account answers slower. */
  readonly #freeFailures: number;
  readonly #knownDevices = new RecentSet();

  constructor(clock: Clock, limits: Limits = defaultLimits) {
    this.#clock = clock;
    this.#addresses = new AddressBuckets(perMinute(limits["limit-guesses-per-address"]));
    this.#freeFailures = orNone(limits["limit-guesses-per-account"]);
  }

  /**
   * Before any work is done. Counts as a failure of the account until `succeeded` takes it back: many guesses at the same moment would
   * otherwise all be the first.
   * @throws Refusal `limited`
   */
  begin(guess: Guess): void {
    const key = this.#keyOf(guess);
    const now = this.#clock.now();
    const before = this.#accounts.get(key);
    const accountMs = before === undefined ? 0 : before.lastAt + delayAfter(before.count - this.#freeFailures) - now;
    const waitMs = Math.max(accountMs, this.addressWaitMs(guess.ip));
    if (waitMs > 0) throw new Refusal("limited", "too many wrong answers", Math.ceil(waitMs));
    const count = before === undefined || now - before.lastAt > FORGOTTEN_AFTER_MS ? 1 : before.count + 1;
    this.#remember(key, { count, lastAt: now });
  }

  succeeded(guess: Guess): void {
    this.#accounts.delete(this.#keyOf(guess));
    this.knows(guess.name, guess.deviceKey);
  }

  /** This device has signed in to that account. */
  knows(name: string, deviceKey: string): void {
    this.#knownDevices.add(`${name}/${deviceKey}`);
  }

  /** The answer was wrong, also one that names no account, such as an invitation. */
  addressFailed(ip: string): void {
    this.#addresses.take(ip, this.#clock.now());
  }

  addressWaitMs(ip: string): number {
    return this.#addresses.waitMs(ip, this.#clock.now());
  }

  #remember(key: string, failures: Failures): void {
    this.#accounts.delete(key);
    this.#accounts.set(key, failures);
    const oldest = this.#accounts.keys().next();
    if (this.#accounts.size > MAX_ACCOUNTS && oldest.done !== true) this.#accounts.delete(oldest.value);
  }

  #keyOf(guess: Guess): string {
    const own = `${guess.name}/${guess.deviceKey}`;
    return this.#knownDevices.has(own) ? own : guess.name;
  }
}

/** @param failures beyond the free ones; below 0 while some are left */
function delayAfter(failures: number): number {
  return failures < 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(20, failures));
}
