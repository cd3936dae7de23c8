import { networkOf } from "../../wire/address.ts";
import { defaultLimits, type Limits } from "../cli/limits.ts";
import type { Clock } from "./clock.ts";
import { orNone, perSecond } from "./limits.ts";
import { AddressBuckets, shareOf, TokenBucket } from "./rate-limit.ts";
import { Refusal } from "./refusal.ts";

const RETRY_MS = 2_000;

/** The sockets that have not signed in, or bound a leg, yet. Whoever has is no longer counted, so that a flood shuts nobody out who is in. */
export class Newcomers {
  readonly #clock: Clock;
  readonly #maxTotal: number;
  readonly #maxPerAddress: number;
  readonly #upgrades: AddressBuckets;
  readonly #handshakes: TokenBucket;
  readonly #perAddress = new Map<string, number>();
  #total = 0;

  constructor(clock: Clock, limits: Limits = defaultLimits) {
    this.#clock = clock;
    this.#maxTotal = orNone(limits["limit-newcomers"]);
    this.#maxPerAddress = orNone(limits["limit-newcomers-per-address"]);
    this.#upgrades = new AddressBuckets(perSecond(limits["limit-connections"], limits["limit-connections-burst"]));
    this.#handshakes = new TokenBucket(perSecond(limits["limit-handshakes"]), clock.now());
  }

  get size(): number {
    return this.#total;
  }

  /** @returns a function that gives the place back, however often it is called. @throws Refusal `limited` or `busy` */
  enter(ip: string): () => void {
    const network = networkOf(ip);
    const now = this.#clock.now();
    const upgradeMs = this.#upgrades.take(ip, now);
    if (upgradeMs > 0) throw new Refusal("limited", "too many connections from this address", upgradeMs);
    const here = this.#perAddress.get(network) ?? 0;
    if (here >= this.#maxPerAddress * shareOf(ip))
      throw new Refusal("limited", "too many connections from this address", RETRY_MS);
    const handshakeMs = this.#total >= this.#maxTotal ? RETRY_MS : this.#handshakes.take(now);
    if (handshakeMs > 0) throw new Refusal("busy", "too many connections", handshakeMs);
    this.#perAddress.set(network, here + 1);
    this.#total++;
    return once(() => this.#leave(network));
  }

  #leave(network: string): void {
    const left = (this.#perAddress.get(network) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(network, left);
    else this.#perAddress.delete(network);
    this.#total--;
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
