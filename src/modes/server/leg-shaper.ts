import type { Clock } from "./clock.ts";
import type { RelayQuota } from "./limits.ts";
import { PacketQueue } from "./packet-queue.ts";
import { type AllowanceOptions, RelayAllowance } from "./relay-allowance.ts";

/** What waits in front of an account's legs is at most what goes through in this time. Milliseconds. */
const MAX_QUEUE_MS = 250;
/** Room for a few messages, however slow the account. Bytes. */
const MIN_QUEUE_BYTES = 65_536;
/** Tokens are spent this often at most, in one go. Milliseconds. */
const TICK_MS = 4;
/** What one leg may send before it is the next one's turn. Bytes. */
const TURN_BYTES = 16_384;
/** Accounts whose use is remembered; beyond it the one that opened a leg longest ago, with none open now, starts afresh. */
const MAX_ACCOUNTS = 100_000;

/** Where the packets of one leg go. Neither call throws. */
export interface LegOutlet {
  pass(packets: Uint8Array): void;
  /** This leg waits for its account: packets pass at this rate, all legs of the account together. Called for each that waits. */
  slowed(bytesPerSecond: number): void;
}

/** One leg's way through the shaper. */
export interface ShapedLeg {
  push(packets: Uint8Array): void;
  /** What still waits is dropped. */
  close(): void;
}

/**
 * What people send over relay legs, held to a rate and a daily volume for each account, soft: nothing is refused or closed. Packets wait a
 * moment, and of more than that the oldest are lost, which the session in them takes for what it is, a full line. The legs of an account
 * take turns; accounts have nothing to do with each other.
 */
export class LegShaper {
  readonly #quota: RelayQuota;
  readonly #options: AllowanceOptions;
  readonly #accounts = new Map<string, AccountShaper>();

  constructor({ rate, day }: RelayQuota, options: AllowanceOptions) {
    this.#quota = { rate: { ...rate, burst: enoughFor(rate) }, day: { ...day, burst: enoughFor(day) } };
    this.#options = options;
  }

  open(account: string, outlet: LegOutlet): ShapedLeg {
    const shaper = this.#accounts.get(account) ?? this.#newcomer(account);
    this.#accounts.delete(account);
    this.#accounts.set(account, shaper);
    if (this.#accounts.size > MAX_ACCOUNTS) this.#forgetIdle();
    return shaper.open(outlet);
  }

  #newcomer(account: string): AccountShaper {
    return new AccountShaper(new RelayAllowance(account, this.#quota, this.#options), this.#options.clock);
  }

  #forgetIdle(): void {
    for (const [account, shaper] of this.#accounts) {
      if (shaper.isIdle) return void this.#accounts.delete(account);
    }
  }
}

interface Leg {
  readonly outlet: LegOutlet;
  readonly queue: PacketQueue;
}

class AccountShaper {
  readonly #allowance: RelayAllowance;
  readonly #clock: Clock;
  readonly #legs = new Set<Leg>();
  /** Legs with something in their queue, in the order of their turns. */
  readonly #waiting = new Set<Leg>();
  /** Of all queues. */
  #weightBytes = 0;
  #cancelTick: (() => void) | null = null;

  constructor(allowance: RelayAllowance, clock: Clock) {
    this.#allowance = allowance;
    this.#clock = clock;
  }

  get isIdle(): boolean {
    return this.#legs.size === 0;
  }

  open(outlet: LegOutlet): ShapedLeg {
    const leg: Leg = { outlet, queue: new PacketQueue() };
    if (this.isIdle) this.#allowance.tell();
    this.#legs.add(leg);
    return { push: (packets) => this.#push(leg, packets), close: () => this.#close(leg) };
  }

  #push(leg: Leg, packets: Uint8Array): void {
    const now = this.#clock.now();
    if (this.#waiting.size === 0 && this.#allowance.waitMs(now) === 0) return this.#pass(leg, packets, now);
    const bytesPerSecond = this.#allowance.bytesPerSecond(now, TURN_BYTES);
    this.#weigh(leg, () => leg.queue.push(packets));
    this.#waiting.add(leg);
    leg.outlet.slowed(bytesPerSecond);
    this.#dropBeyond(Math.max(MIN_QUEUE_BYTES, (bytesPerSecond * MAX_QUEUE_MS) / 1_000));
    if (this.#cancelTick === null) this.#tickLater(now);
  }

  #close(leg: Leg): void {
    this.#weigh(leg, () => leg.queue.clear());
    this.#legs.delete(leg);
    this.#waiting.delete(leg);
    if (this.#waiting.size === 0) this.#stopTicking();
    if (this.isIdle) this.#allowance.tell();
  }

  #tick(): void {
    const now = this.#clock.now();
    this.#cancelTick = null;
    while (this.#allowance.waitMs(now) === 0) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      this.#takeTurn(next, now);
    }
    if (this.#waiting.size > 0) this.#tickLater(now);
  }

  #tickLater(now: number): void {
    this.#cancelTick = this.#clock.after(Math.max(TICK_MS, this.#allowance.waitMs(now)), () => this.#tick());
  }

  /** Passing may close the leg. */
  #takeTurn(leg: Leg, now: number): void {
    this.#waiting.delete(leg);
    for (let turnBytes = 0; turnBytes < TURN_BYTES;) {
      const packets = this.#weigh(leg, () => leg.queue.shift());
      if (packets === null) return;
      turnBytes += packets.length;
      this.#pass(leg, packets, now);
    }
    if (!leg.queue.isEmpty) this.#waiting.add(leg);
  }

  #pass({ outlet }: Leg, packets: Uint8Array, now: number): void {
    this.#allowance.spend(now, packets.length);
    outlet.pass(packets);
  }

  /** The longest queue gives its oldest, so that a leg that floods loses its own. */
  #dropBeyond(mostBytes: number): void {
    while (this.#weightBytes > mostBytes) {
      const longest = [...this.#waiting].reduce((a, b) => (b.queue.weightBytes > a.queue.weightBytes ? b : a));
      this.#weigh(longest, () => longest.queue.shift());
    }
  }

  #weigh<T>({ queue }: Leg, change: () => T): T {
    const before = queue.weightBytes;
    const result = change();
    this.#weightBytes += queue.weightBytes - before;
    return result;
  }

  #stopTicking(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
  }
}

/** Below what comes back between two ticks, a bucket would spill. */
function enoughFor({ perSecond, burst }: RelayQuota["rate"]): number {
  return Math.max(burst, (perSecond * 5 * TICK_MS) / 1_000, TURN_BYTES);
}
