import { familyOf, sameAddress, type UdpAddress } from "../address.ts";
import { equalBytes } from "../bytes.ts";
import type { Core, Random, Transmit } from "../core.ts";
import { KEEPALIVE_MS, MAX_LEG_INDEXES } from "../limits.ts";
import { decodeLegReply, encodeLegRequest, LEG_COOKIE_BYTES, type LegReply } from "../messages/leg.ts";
import type { SocketRoute } from "../traversal/inquiry.ts";
import { deriveLegKeys, isSignedLeg, type LegKeys, signLeg } from "./leg-keys.ts";

/** Gaps between requests on a way that has answered, until it answers again or is given up. Milliseconds. */
const ANSWER_GAPS_MS = [150, 250, 400, 700, 1_500];
/** After an answer that refused something, the second of a row and so on, until the next request; the last one holds on. Milliseconds. */
const REFUSED_GAPS_MS = [0, 150, 400, 1_500];
/** Gaps between looks for a way; the last one holds on. Milliseconds. */
const SEARCH_GAPS_MS = [150, 250, 400, 800, 1_600, 3_000, 6_000, 15_000, 30_000, 60_000];
/** Requests whose answer still counts. */
const MAX_OPEN = 32;

export type LegEvent =
  /** Packets of the indexes given so far come through from here on, by this way. */
  | { readonly kind: "bound"; readonly route: SocketRoute }
  /** The server is not heard any more; the search for it goes on. */
  | { readonly kind: "lost" }
  /** These are another's at the server. */
  | { readonly kind: "refused"; readonly indexes: readonly number[] };

export interface LegClientOptions {
  readonly leg: Uint8Array;
  readonly key: Uint8Array;
  readonly random: Random;
}

interface Asked {
  readonly route: SocketRoute;
  readonly indexes: readonly number[];
}

/**
 * A peer's end of a UDP relay leg: finds a way to the server's UDP, shows that it hears there, and tells which receiver indexes are its
 * own, each time they change. One request says all of it, so that any of them may be lost. PROTOCOL.md §8.2.
 */
export class LegClient implements Core<LegEvent, SocketRoute> {
  readonly #options: LegClientOptions;
  readonly #keys: LegKeys;
  #ways: readonly SocketRoute[] = [];
  #indexes: readonly number[] = [];
  /** By sequence, oldest first. */
  readonly #open = new Map<number, Asked>();
  #sequence = 0;
  /** The way on which the server has answered. */
  #chosen: SocketRoute | null = null;
  #cookie: Uint8Array = new Uint8Array(LEG_COOKIE_BYTES);
  #isBound = false;
  /** Requests since the last answer. */
  #tries = 0;
  #askAt: number | null = null;
  /** Answers in a row that refused something. */
  #refusals = 0;
  #notBefore = -Infinity;
  #isKeptElsewhere = false;
  readonly #outgoing: Transmit<SocketRoute>[] = [];
  readonly #events: LegEvent[] = [];

  constructor(options: LegClientOptions) {
    this.#options = options;
    this.#keys = deriveLegKeys(options.key);
  }

  /** The way packets go; null while there is none. */
  get route(): SocketRoute | null {
    return this.#isBound ? this.#chosen : null;
  }

  /** Begins, or begins again on another network: first come, first asked. Without any way it rests. */
  start(now: number, ways: readonly SocketRoute[]): void {
    this.#ways = ways;
    this.#open.clear();
    this.#search(now);
  }

  setIndexes(now: number, indexes: readonly number[]): void {
    this.#indexes = indexes.slice(-MAX_LEG_INDEXES);
    if (this.#chosen !== null) this.#askSoon(now);
  }

  /** Packets do not come through: perhaps we are seen somewhere else by now. */
  doubt(now: number): void {
    if (this.#isBound) this.#askSoon(now);
  }

  /** Whether the session's own checks go this way all the time, so that nothing else need keep it open. */
  setKept(now: number, isKept: boolean): void {
    this.#isKeptElsewhere = isKept;
    if (this.#isBound && this.#tries === 0) this.#askAt = this.#keepaliveAt(now);
  }

  handleDatagram(now: number, datagram: Uint8Array, from: SocketRoute): void {
    const reply = decodeLegReply(datagram);
    if (reply === null || !equalBytes(reply.leg, this.#options.leg)) return;
    const asked = this.#open.get(reply.sequence);
    if (asked === undefined || !isSameWay(asked.route, from) || !isSignedLeg(this.#keys.reply, datagram)) return;
    for (const sequence of this.#open.keys()) if (sequence <= reply.sequence) this.#open.delete(sequence);
    if (reply.isRegistered) this.#registered(now, reply, asked);
    else this.#challenged(now, reply, asked);
  }

  handleTimeout(now: number): void {
    if (this.#askAt === null || now < this.#askAt) return;
    if (this.#chosen === null) this.#ask(now, SEARCH_GAPS_MS, this.#ways.slice(0, this.#tries + 1));
    else if (this.#tries < ANSWER_GAPS_MS.length) this.#ask(now, ANSWER_GAPS_MS, [this.#chosen]);
    else this.#giveUp(now);
  }

  pollEvent(): LegEvent | null {
    return this.#events.shift() ?? null;
  }

  pollTransmit(): Transmit<SocketRoute> | null {
    return this.#outgoing.shift() ?? null;
  }

  pollTimeout(): number | null {
    return this.#askAt;
  }

  stop(): void {
    this.#ways = [];
    this.#open.clear();
    this.#isBound = false;
    this.#chosen = this.#askAt = null;
  }

  #search(now: number): void {
    this.#isBound = false;
    this.#chosen = null;
    this.#cookie = new Uint8Array(LEG_COOKIE_BYTES);
    this.#tries = 0;
    this.#askAt = this.#ways.length === 0 ? null : now;
  }

  #giveUp(now: number): void {
    if (this.#isBound) this.#events.push({ kind: "lost" });
    this.#search(now);
    // What has just been asked in vain is not asked at once again.
    this.#tries = 3;
    this.#askAt = now + (SEARCH_GAPS_MS[this.#tries] ?? 0);
  }

  #ask(now: number, gapsMs: readonly number[], ways: readonly SocketRoute[]): void {
    for (const route of ways) this.#send(route);
    this.#askAt = now + (gapsMs[Math.min(this.#tries, gapsMs.length - 1)] ?? 0);
    this.#tries++;
  }

  #askSoon(now: number): void {
    this.#tries = 0;
    this.#askAt = Math.max(now, this.#notBefore);
  }

  #send(route: SocketRoute): void {
    const [sequence, indexes, cookie] = [++this.#sequence, this.#indexes, this.#cookie];
    this.#open.set(sequence, { route, indexes });
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN && oldest !== undefined) this.#open.delete(oldest);
    const request = encodeLegRequest({ leg: this.#options.leg, sequence, cookie, indexes });
    const bytes = signLeg(this.#keys.request, request);
    this.#outgoing.push({ to: route, bytes, segmentBytes: bytes.length });
  }

  /** The first way that answers is taken. What is challenged where it was bound is seen somewhere else. */
  #challenged(now: number, { cookie }: LegReply, { route }: Asked): void {
    if (this.#chosen !== null && !isSameWay(this.#chosen, route)) return;
    if (this.#chosen === null) this.#tries = 0;
    this.#chosen = route;
    this.#cookie = cookie;
    if (this.#tries < ANSWER_GAPS_MS.length) this.#askAt = now;
  }

  #registered(now: number, { cookie, refused }: LegReply, { route, indexes }: Asked): void {
    if (this.#chosen === null || !isSameWay(this.#chosen, route)) return;
    this.#cookie = cookie;
    this.#tries = 0;
    const others = indexes.filter((_, place) => (refused & (1 << place)) !== 0);
    this.#refused(now, others.length > 0);
    if (this.#indexes === indexes) this.#askAt = this.#keepaliveAt(now);
    else this.#askSoon(now);
    if (others.length > 0) this.#events.push({ kind: "refused", indexes: others });
    if (!this.#isBound) this.#events.push({ kind: "bound", route });
    this.#isBound = true;
  }

  /** Whoever is refused asks for others: a server that refuses all shall not have that without end. */
  #refused(now: number, isRefused: boolean): void {
    const gapMs = isRefused ? (REFUSED_GAPS_MS[Math.min(this.#refusals, REFUSED_GAPS_MS.length - 1)] ?? 0) : 0;
    this.#refusals = isRefused ? this.#refusals + 1 : 0;
    this.#notBefore = now + gapMs;
  }

  /** Plus or minus a fifth, so that many do not beat together. */
  #keepaliveAt(now: number): number | null {
    const [byte = 0] = this.#options.random(1);
    return this.#isKeptElsewhere ? null : now + KEEPALIVE_MS * (0.8 + (0.4 * byte) / 255);
  }
}

function isSameWay(a: SocketRoute, b: SocketRoute): boolean {
  return a.socket === b.socket && sameAddress(a.remote, b.remote);
}

/** The ways there are from these sockets to those addresses. */
export function waysTo(
  sockets: readonly { readonly socket: number; readonly family: 4 | 6 }[],
  addresses: readonly UdpAddress[],
): readonly SocketRoute[] {
  return addresses.flatMap((remote) =>
    sockets.flatMap(({ socket, family }) => (familyOf(remote.ip) === family ? [{ socket, remote }] : [])),
  );
}
