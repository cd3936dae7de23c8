import { type BucketRate, TokenBucket, TokenBuckets } from "../../store/token-bucket.ts";
import { networkOf, scopeOf } from "../../wire/address.ts";

export { type BucketRate, TokenBucket };

/**
 * So many more has this machine itself: the operator's own programs, or everybody behind a proxy that was not named. Not any number,
 * because of that proxy.
 */
const LOOPBACK_SHARE = 10;

/** One bucket per IPv4 address or IPv6 network, of this node alone. */
export class AddressBuckets {
  readonly #rate: BucketRate;
  readonly #buckets = new TokenBuckets();

  constructor(rate: BucketRate) {
    this.#rate = rate;
  }

  take(ip: string, now: number): number {
    return this.#buckets.of(networkOf(ip), this.#rate, now).take(now, 1 / shareOf(ip));
  }
}

/** How many times the limit of an address holds for this one. */
export function shareOf(ip: string): number {
  return scopeOf(ip) === "loopback" ? LOOPBACK_SHARE : 1;
}
