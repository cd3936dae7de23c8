import type { Seeded } from "./seeded.ts";

/** One direction of a route. Shares are from 0 to 1. */
export interface LinkOptions {
  readonly delayMs: number;
  /** Up to so much more, evenly spread; packets may overtake each other unless `ordered`. */
  readonly jitterMs?: number;
  readonly loss?: number;
  readonly duplicate?: number;
  /** This share comes later by up to 20 delays. */
  readonly reorder?: number;
  /** Bytes per ms; none is unlimited. */
  readonly rate?: number;
  /** Bytes that wait for the rate; what does not fit is lost. */
  readonly queueBytes?: number;
  /** In place of a rate of its own: one that other links share. */
  readonly bottleneck?: Bottleneck;
  /** As TCP: nothing overtakes, nothing is lost but by an outage. */
  readonly ordered?: boolean;
  /** Longer datagrams vanish. Bytes. */
  readonly mtu?: number;
  /** And longer ones do not even leave the sender, who is told. Bytes, as Ethernet's if not said. */
  readonly ownMtu?: number;
}

/** A rate with one queue in front of it, for all who come: what does not fit is dropped at its tail. */
export class Bottleneck {
  /** Bytes per ms. */
  rate: number;
  queueBytes: number;
  droppedPackets = 0;
  #freeAtMs = 0;

  constructor(rate: number, queueBytes: number) {
    this.rate = rate;
    this.queueBytes = queueBytes;
  }

  /** Null when the queue is full. */
  leavesAt(now: number, bytes: number): number | null {
    const startsAt = Math.max(now, this.#freeAtMs);
    if ((startsAt - now) * this.rate > this.queueBytes) {
      this.droppedPackets++;
      return null;
    }
    this.#freeAtMs = startsAt + bytes / this.rate;
    return this.#freeAtMs;
  }
}

/** A link's life: what it does to each datagram, and what it did in all. */
export class Link {
  options: LinkOptions;
  isDown = false;
  sentBytes = 0;
  sentPackets = 0;
  lostPackets = 0;
  readonly #random: Seeded;
  readonly #own = new Bottleneck(0, 0);
  #lastAtMs = 0;

  constructor(options: LinkOptions, random: Seeded) {
    this.options = options;
    this.#random = random;
  }

  refuses(bytes: number): boolean {
    return !(this.options.ordered ?? false) && bytes > (this.options.ownMtu ?? 1_472);
  }

  /** @returns when each copy of a datagram sent now arrives; empty when it is lost */
  arrivals(now: number, bytes: number): readonly number[] {
    this.sentPackets++;
    this.sentBytes += bytes;
    const { loss = 0, duplicate = 0, mtu = 65_507 } = this.options;
    const leavesAt = this.#leavesAt(now, bytes);
    if (this.isDown || bytes > mtu || leavesAt === null || this.#random.chance(loss)) {
      this.lostPackets++;
      return [];
    }
    const copies = this.#random.chance(duplicate) ? 2 : 1;
    return Array.from({ length: copies }, () => this.#arrivesAt(leavesAt));
  }

  /** Through the bottleneck and its queue; null when that is full. */
  #leavesAt(now: number, bytes: number): number | null {
    const { rate, queueBytes = 65_536, bottleneck } = this.options;
    if (bottleneck !== undefined) return bottleneck.leavesAt(now, bytes);
    if (rate === undefined) return now;
    this.#own.rate = rate;
    this.#own.queueBytes = queueBytes;
    return this.#own.leavesAt(now, bytes);
  }

  #arrivesAt(leavesAt: number): number {
    const { delayMs, jitterMs = 0, reorder = 0, ordered = false } = this.options;
    const late = this.#random.chance(reorder) ? this.#random.fraction() * 20 * delayMs : 0;
    const at = leavesAt + delayMs + jitterMs * this.#random.fraction() + late;
    if (!ordered) return at;
    this.#lastAtMs = Math.max(at, this.#lastAtMs);
    return this.#lastAtMs;
  }
}
