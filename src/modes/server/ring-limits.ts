import { toHex } from "../../wire/bytes.ts";
import type { Clock } from "./clock.ts";
import { RecentSet } from "./recent-set.ts";
import { TokenBuckets } from "./rate-limit.ts";
import { Refusal } from "./refusal.ts";

/** Open at a time, from one person to another. */
const MAX_OPEN = 3;
const TO_STRANGERS = { perSecond: 10 / 60, burst: 10 };
const TO_ACQUAINTANCES = { perSecond: 120 / 60, burst: 120 };
/** What strangers together may ask of one person. */
const FROM_STRANGERS = { perSecond: 5 / 60, burst: 10 };

/** How often people ring. Those who once accepted a ring of each other are no strangers, for as long as this node remembers. */
export class RingLimits {
  readonly #clock: Clock;
  readonly #toStrangers = new TokenBuckets(TO_STRANGERS);
  readonly #toAcquaintances = new TokenBuckets(TO_ACQUAINTANCES);
  readonly #fromStrangers = new TokenBuckets(FROM_STRANGERS);
  readonly #acquainted = new RecentSet();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquaint(oneId: Uint8Array, otherId: Uint8Array): void {
    this.#acquainted.add(pairOf(oneId, otherId));
  }

  /** @param open rings from one to the other now, this one counted. @throws Refusal `limited` */
  take(askerId: Uint8Array, askedId: Uint8Array, open: number): void {
    if (open > MAX_OPEN) throw limited("you ring this person several times already", 1_000);
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
