import { sameAddress, type UdpAddress } from "../address.ts";
import type { Random } from "../core.ts";
import { decodeLegRequest, encodeLegReply, type LegRequest } from "../messages/leg.ts";
import { Pace } from "../pace.ts";
import { mayAsk } from "../traversal/asker.ts";
import { LegCookies } from "./leg-cookies.ts";
import { isSignedLeg, type LegKeys, signLeg } from "./leg-keys.ts";

/** Requests of one leg that are answered within a second, and moves to another address among them. */
const ANSWERS_PER_SECOND = 10;
const MOVES_PER_SECOND = 2;
/** Nothing came from an address for so long: it may be somebody else's by now, and is sent nothing more. Milliseconds. */
const SILENT_AFTER_MS = 60_000;
/** Legs that may have the same receiver index, each for another sender. Chance makes hardly two of them. */
const MAX_NAMESAKES = 64;

export interface AllocationOptions<Via> {
  readonly keys: LegKeys;
  /** Whoever sends to this end: the same text for all legs of that device. */
  readonly sender: string;
  /** The leg of the other end; null while it has none. */
  readonly other: () => Allocation<Via> | null;
  /** Takes what this end sends to the other one. */
  readonly send: (packets: Uint8Array) => void;
  readonly mayBeLoopback: boolean;
}

/** One end's right to have packets relayed over UDP, in the memory of the server that holds its pairing. */
export class Allocation<Via> {
  readonly options: AllocationOptions<Via>;
  /** Where this end is; null until it has shown that it hears there. */
  address: UdpAddress | null = null;
  /** Which of the server's sockets it speaks to. */
  via: Via | null = null;
  heardAtMs = 0;
  /** Of the newest authentic request. */
  sequence = -1;
  indexes: readonly number[] = [];
  readonly answers = new Pace(ANSWERS_PER_SECOND);
  readonly moves = new Pace(MOVES_PER_SECOND);

  constructor(options: AllocationOptions<Via>) {
    this.options = options;
  }

  /** Where to send to now; null for nowhere. */
  reachableAt(now: number): UdpAddress | null {
    return now - this.heardAtMs < SILENT_AFTER_MS ? this.address : null;
  }
}

export interface AllocationsOptions<Via> {
  readonly random: Random;
  /** Where the server itself is reached; what claims to come from there is dropped. */
  readonly ownAddresses: readonly UdpAddress[];
  /** Null for a leg that was never given out, or whose pairing is over. */
  readonly find: (leg: Uint8Array) => Allocation<Via> | null;
}

/**
 * Which packets a server relays over UDP: those with a receiver index that the other end of the sender's leg has registered, from the
 * address at which that leg's holder has shown to be. Everything else is dropped after one look-up. PROTOCOL.md §8.2.
 */
export class Allocations<Via> {
  readonly #options: AllocationsOptions<Via>;
  readonly #cookies: LegCookies;
  readonly #byIndex = new Map<number, Allocation<Via>[]>();

  constructor(options: AllocationsOptions<Via>) {
    this.#options = options;
    this.#cookies = new LegCookies(options.random);
  }

  /** Registered indexes; those that several legs have count once. */
  get size(): number {
    return this.#byIndex.size;
  }

  /** @param from canonical. @returns what to send back to `from`, shorter than the request; null for silence */
  handleRequest(now: number, datagram: Uint8Array, from: UdpAddress, via: Via): Uint8Array | null {
    const request = decodeLegRequest(datagram);
    const leg = request === null ? null : this.#options.find(request.leg);
    if (request === null || leg === null) return null;
    const { keys, mayBeLoopback } = leg.options;
    if (!mayAsk(from, this.#options.ownAddresses, mayBeLoopback) || !isSignedLeg(keys.request, datagram)) return null;
    if (request.sequence <= leg.sequence || !leg.answers.take(now)) return null;
    leg.sequence = request.sequence;
    const isRegistered = this.#settle(now, leg, request, from, via);
    if (isRegistered === null) return null;
    const refused = isRegistered ? this.#register(leg, request.indexes) : 0;
    const cookie = this.#cookies.make(now, request.leg, from);
    const reply = { leg: request.leg, sequence: request.sequence, cookie, isRegistered, refused };
    return signLeg(keys.reply, encodeLegReply(reply));
  }

  /** Whose packets these are: sealed, with this receiver index, from there. Null for nobody's. Taken as a sign of life of the sender. */
  receiverOf(now: number, from: UdpAddress, index: number): Allocation<Via> | null {
    for (const receiver of this.#byIndex.get(index) ?? []) {
      const sender = receiver.options.other();
      if (sender === null || !isAt(sender, from)) continue;
      sender.heardAtMs = now;
      return receiver;
    }
    return null;
  }

  /** The pairing is over. */
  close(leg: Allocation<Via>): void {
    this.#register(leg, []);
    leg.address = null;
  }

  /** @returns whether it has shown to be there; null when it moves too often to be followed */
  #settle(now: number, leg: Allocation<Via>, request: LegRequest, from: UdpAddress, via: Via): boolean | null {
    if (!this.#cookies.isValid(now, request.cookie, request.leg, from)) return false;
    if (!isAt(leg, from) && !leg.moves.take(now)) return null;
    leg.address = from;
    leg.via = via;
    leg.heardAtMs = now;
    return true;
  }

  /** @returns the places of those that are refused, as bits */
  #register(leg: Allocation<Via>, indexes: readonly number[]): number {
    const before = new Set(leg.indexes);
    const wanted = new Set(indexes);
    for (const index of before) if (!wanted.has(index)) this.#drop(leg, index);
    const isHeld = (index: number) => before.has(index) || this.#add(leg, index);
    const refused = indexes.map((index) => !isHeld(index));
    leg.indexes = [...new Set(indexes.filter((_, place) => refused[place] === false))];
    return refused.reduce((bits, isRefused, place) => (isRefused ? bits | (1 << place) : bits), 0);
  }

  /** Two legs with one index must have different senders, who are told apart by where they are. */
  #add(leg: Allocation<Via>, index: number): boolean {
    const namesakes = this.#byIndex.get(index) ?? [];
    const isTaken = namesakes.some((each) => each !== leg && hasSameSender(each, leg));
    if (isTaken || namesakes.length >= MAX_NAMESAKES) return false;
    if (!namesakes.includes(leg)) this.#byIndex.set(index, [...namesakes, leg]);
    return true;
  }

  #drop(leg: Allocation<Via>, index: number): void {
    const others = (this.#byIndex.get(index) ?? []).filter((each) => each !== leg);
    if (others.length > 0) this.#byIndex.set(index, others);
    else this.#byIndex.delete(index);
  }
}

function isAt<Via>({ address }: Allocation<Via>, from: UdpAddress): boolean {
  return address !== null && sameAddress(address, from);
}

function hasSameSender<Via>(a: Allocation<Via>, b: Allocation<Via>): boolean {
  const [one, two] = [a.options.other()?.address ?? null, b.options.other()?.address ?? null];
  return a.options.sender === b.options.sender || (one !== null && two !== null && sameAddress(one, two));
}
