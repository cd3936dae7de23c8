import type { Random } from "../core.ts";
import { PREVIOUS_KEY_MS } from "../limits.ts";
import type { EventQueue } from "./events.ts";

/** How many the other end holds ready; PROTOCOL.md §7.3. */
const SPARES = 2;
/** Known to the endpoint, and to a relay, long before the other end is told of them. */
const RESERVE = 3;
const MAX_REMOTE_SPARES = 8;
/** Indexes on their way out, however fast keys change. */
const MAX_RETIRING = 16;

/**
 * Receiver indexes: the 4 bytes by which a packet finds its session. Ours change with every exchange of keys, and when the other end
 * takes a spare, so that nobody on the way can tell that two networks carry the same session.
 */
export class Indexes {
  readonly #random: Random;
  readonly #events: EventQueue;
  readonly #local = new Set<number>();
  readonly #spares = new Set<number>();
  readonly #reserve: number[] = [];
  readonly #retiring: { readonly index: number; readonly at: number }[] = [];
  readonly #remoteSpares: number[] = [];
  #current: number;
  #remote: number;

  constructor(local: number, remote: number, random: Random, events: EventQueue) {
    this.#current = local;
    this.#remote = remote;
    this.#random = random;
    this.#events = events;
    this.#local.add(local);
  }

  /** What the other end's packets are to carry. */
  get remote(): number {
    return this.#remote;
  }

  isLocal(index: number): boolean {
    return this.#local.has(index);
  }

  /** One more of ours, of which the endpoint heard when it came into the reserve. */
  add(): number {
    return this.#reserve.shift() ?? this.#draw();
  }

  /** Fills the reserve, too. @returns the spares to tell the other end; empty when it has enough */
  refill(): readonly number[] {
    const fresh: number[] = [];
    while (this.#spares.size < SPARES) {
      const index = this.add();
      this.#spares.add(index);
      fresh.push(index);
    }
    while (this.#reserve.length < RESERVE) this.#reserve.push(this.#draw());
    return fresh;
  }

  /** It is no good to us. What the other end was told of stays. @returns whether it was still in the reserve */
  discard(index: number): boolean {
    const at = this.#reserve.indexOf(index);
    if (at < 0) return false;
    this.#reserve.splice(at, 1);
    this.#local.delete(index);
    this.#events.push({ kind: "indexes", add: [], retire: [index] });
    return true;
  }

  /** An authentic packet carried it. @returns true when it was a spare, so that a new one is due */
  onUsed(now: number, index: number): boolean {
    if (!this.#spares.delete(index)) return false;
    this.setCurrent(now, index);
    return true;
  }

  /** The one before is still known as long as the keys before are. */
  setCurrent(now: number, index: number): void {
    if (index === this.#current) return;
    this.#retiring.push({ index: this.#current, at: now + PREVIOUS_KEY_MS });
    this.#current = index;
    while (this.#retiring.length > MAX_RETIRING) this.#retireFirst();
  }

  setRemote(index: number): void {
    this.#remote = index;
  }

  onRemoteSpares(indexes: readonly number[]): void {
    this.#remoteSpares.push(...indexes);
    if (this.#remoteSpares.length > MAX_REMOTE_SPARES)
      this.#remoteSpares.splice(0, this.#remoteSpares.length - MAX_REMOTE_SPARES);
  }

  /** From now on packets carry another index, if the other end gave one. */
  takeRemoteSpare(): void {
    this.#remote = this.#remoteSpares.shift() ?? this.#remote;
  }

  handleTimeout(now: number): void {
    while ((this.#retiring[0]?.at ?? Number.POSITIVE_INFINITY) <= now) this.#retireFirst();
  }

  pollTimeout(): number | null {
    return this.#retiring[0]?.at ?? null;
  }

  #retireFirst(): void {
    const first = this.#retiring.shift();
    if (first === undefined) return;
    this.#local.delete(first.index);
    this.#events.push({ kind: "indexes", add: [], retire: [first.index] });
  }

  #draw(): number {
    const random = () => this.#random(4).reduce((number, byte) => number * 256 + byte, 0);
    let index = random();
    while (this.#local.has(index)) index = random();
    this.#local.add(index);
    this.#events.push({ kind: "indexes", add: [index], retire: [] });
    return index;
  }
}
