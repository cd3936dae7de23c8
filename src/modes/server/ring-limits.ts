import type { RateBuckets } from "../../store/rate-buckets.ts";
import { toHex } from "../../wire/bytes.ts";
import { defaultLimits, type Limits } from "../cli/limits.ts";
import { orNone, perMinute } from "./limits.ts";
import type { BucketRate } from "./rate-limit.ts";
import { RecentSet } from "./recent-set.ts";
import { Refusal } from "./refusal.ts";

/**
 * How often people ring, over all nodes. Those who once accepted a ring of each other are no strangers, for as long as this node
 * remembers.
 */
export class RingLimits {
  readonly #buckets: RateBuckets;
  readonly #toStrangers: BucketRate;
  readonly #toAcquaintances: BucketRate;
  /** What strangers together may ask of one person. */
  readonly #fromStrangers: BucketRate;
  readonly #maxOpen: number;
  readonly #acquainted = new RecentSet();

  constructor(buckets: RateBuckets, limits: Limits = defaultLimits) {
    const fromStrangers = limits["limit-rings-from-strangers"];
    this.#buckets = buckets;
    this.#toStrangers = perMinute(limits["limit-rings"]);
    this.#toAcquaintances = perMinute(limits["limit-rings-to-contacts"]);
    this.#fromStrangers = perMinute(fromStrangers, 2 * fromStrangers);
    this.#maxOpen = orNone(limits["limit-rings-unanswered"]);
  }

  acquaint(oneId: Uint8Array, otherId: Uint8Array): void {
    this.#acquainted.add(pairOf(oneId, otherId));
  }

  /** @param open rings from one to the other now, this one counted. @throws Refusal `limited` */
  async take(askerId: Uint8Array, askedId: Uint8Array, open: number): Promise<void> {
    if (open > this.#maxOpen) throw limited("you ring this person several times already", 1_000);
    const waitMs = this.#acquainted.has(pairOf(askerId, askedId))
      ? await this.#buckets.take(`rings-to-contacts:${toHex(askerId)}`, this.#toAcquaintances)
      : await this.#takeStranger(toHex(askerId), toHex(askedId));
    if (waitMs > 0) throw limited("too many rings in a minute", waitMs);
  }

  async #takeStranger(asker: string, asked: string): Promise<number> {
    const waitMs = await this.#buckets.take(`rings:${asker}`, this.#toStrangers);
    return waitMs || this.#buckets.take(`rings-from-strangers:${asked}`, this.#fromStrangers);
  }
}

function pairOf(oneId: Uint8Array, otherId: Uint8Array): string {
  return [toHex(oneId), toHex(otherId)].sort().join("/");
}

function limited(message: string, retryMs: number): Refusal {
  return new Refusal("limited", message, retryMs);
}
