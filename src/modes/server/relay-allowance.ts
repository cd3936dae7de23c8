import type { Clock } from "./clock.ts";
import type { RelayQuota } from "./limits.ts";
import { type BucketRate, TokenBucket } from "./rate-limit.ts";
import type { SharedLimits } from "./shared-limits.ts";

/** Gap between two looks at what the other nodes relay for an account, while there is traffic here. Milliseconds. */
const TELL_MS = 1_000;

export interface AllowanceOptions {
  readonly clock: Clock;
  readonly shared: SharedLimits;
  /** For what is our defect; the node goes on alone. */
  readonly onTrouble: (error: unknown) => void;
}

/**
 * What one account may still relay. It is counted here at once; what was relayed is told to all nodes a second later, and where less is
 * left over all of them than here, that holds. So the nodes together keep to the quota, but for a second, and a node that starts again
 * finds what was used.
 */
export class RelayAllowance {
  readonly #options: AllowanceOptions;
  readonly #quota: RelayQuota;
  readonly #rate: TokenBucket;
  readonly #day: TokenBucket;
  readonly #isLimited: boolean;
  readonly #account: string;
  /** Relayed, and not told yet. */
  #untoldBytes = 0;
  #isTelling = false;
  #cancelTelling: (() => void) | null = null;

  constructor(account: string, quota: RelayQuota, options: AllowanceOptions) {
    const now = options.clock.now();
    this.#options = options;
    this.#quota = quota;
    this.#account = account;
    this.#rate = new TokenBucket(quota.rate, now);
    this.#day = new TokenBucket(quota.day, now);
    this.#isLimited = quota.rate.perSecond > 0 || quota.day.perSecond > 0;
  }

  /** Until something may be relayed. */
  waitMs(now: number): number {
    return Math.max(this.#rate.waitMs(now), this.#day.waitMs(now));
  }

  /** How fast it goes on once the next so many bytes are more than is left, by whichever limit holds then. */
  bytesPerSecond(now: number, bytes: number): number {
    const { rate, day } = this.#quota;
    const isDaySpent = this.#day.waitMs(now, bytes) > 0;
    return isDaySpent || rate.perSecond === 0 ? day.perSecond : rate.perSecond;
  }

  spend(now: number, bytes: number): void {
    if (!this.#isLimited) return;
    this.#rate.spend(now, bytes);
    this.#day.spend(now, bytes);
    this.#untoldBytes += bytes;
    if (this.#cancelTelling === null && !this.#isTelling) this.#tellLater();
  }

  /** Now, instead of when it is due; also to hear what the others have relayed. Never throws. */
  tell(): void {
    if (!this.#isLimited || this.#isTelling) return;
    this.#cancelTelling?.();
    this.#cancelTelling = null;
    this.#isTelling = true;
    void this.#exchange();
  }

  #tellLater(): void {
    this.#cancelTelling = this.#options.clock.after(TELL_MS, () => this.tell());
  }

  /** Never rejects. */
  async #exchange(): Promise<void> {
    const { rate, day } = this.#quota;
    const bytes = this.#untoldBytes;
    this.#untoldBytes = 0;
    try {
      await Promise.all([
        this.#align("relay-rate", this.#rate, rate, bytes),
        this.#align("relay-day", this.#day, day, bytes),
      ]);
    } catch (error) {
      this.#options.onTrouble(error);
    }
    this.#isTelling = false;
    if (this.#untoldBytes > 0) this.#tellLater();
  }

  /** What is spent while the answer is under way is spent from whatever was left when it was asked for. */
  async #align(limit: string, bucket: TokenBucket, rate: BucketRate, bytes: number): Promise<void> {
    const { clock, shared } = this.#options;
    const leftHere = bucket.spend(clock.now(), 0);
    const left = await shared.buckets.spend(shared.names.of(limit, this.#account), toldLate(rate), bytes);
    if (left < leftHere) bucket.spend(clock.now(), leftHere - left);
  }
}

/** Told in one go, what came evenly may be as much more at once as comes back meanwhile. */
function toldLate({ perSecond, burst }: BucketRate): BucketRate {
  return { perSecond, burst: burst + (perSecond * TELL_MS) / 1_000 };
}
