import { toHex } from "../../wire/bytes.ts";
import { defaultLimits, type Limits } from "../cli/limits.ts";
import type { Clock } from "./clock.ts";
import { orNone, perMinute } from "./limits.ts";
import { RecentSet } from "./recent-set.ts";
import { TokenBuckets } from "./rate-limit.ts";
import { Refusal } from "./refusal.ts";

/** How often people ring. Those who once accepted a ring of each other are no strangers, for as long as this node remembers. */
export class RingLimits {
  readonly #clock: Clock;
  readonly #toStrangers: TokenBuckets;
  readonly #toAcquaintances: TokenBuckets;
  /** What strangers together may ask of one person. */
  readonly #fromStrangers: TokenBuckets;
  readonly #maxOpen: number;
  readonly #acquainted = new RecentSet();

  constructor(clock: Clock, limits: Limits = defaultLimits) {
    const fromStrangers = limits["limit-rings-from-strangers"];
    this.#clock = clock;
    this.#toStrangers = new TokenBuckets(perMinute(limits["limit-rings"]));
    this.#toAcquaintances = new TokenBuckets(perMinute(limits["limit-rings-to-contacts"]));
    this.#fromStrangers = new TokenBuckets(perMinute(fromStrangers, 2 * fromStrangers));
    this.#maxOpen = orNone(limits["limit-rings-unanswered"]);
  }

  acquaint(oneId: Uint8Array, otherId: Uint8Array): void {
    this.#acquainted.add(pairOf(oneId, otherId));
  }

  /** @param open rings from one to the other now, this one counted. @throws Refusal `limited` */
  take(askerId: Uint8Array, askedId: Uint8Array, open: number): void {
    if (open > this.#maxOpen) throw limited("you ring this person several times already", 1_000);
    const waitMs = this.#acquainted.has(pairOf(askerId, askedId))
      ? this.#toAcquaintances.take(toHex(askerId), this.#clock.now())
      : this.#takeStranger(toHex(askerId), toHex(askedId));
    if (waitMs > 0) throw limited("too many rings in a minute", waitMs);
  }

  #takeStranger(asker: string, asked: string): number {
    const now = this.#clock.now();
    return this.#toStrangers.take(asker, now) || this.#fromStrangers.take(asked, now);
  }
}

function pairOf(oneId: Uint8Array, otherId: Uint8Array): string {
  return [toHex(oneId), toHex(otherId)].sort().join("/");
}

function limited(message: string, retryMs: number): Refusal {
  return new Refusal("limited", message, retryMs);
}
