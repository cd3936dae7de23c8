import type { UdpAddress } from "../address.ts";
import type { Candidate } from "./candidate.ts";
import { CheckBudget } from "./check-budget.ts";
import { CheckList, type LocalSocket } from "./check-list.ts";
import type { CheckPair } from "./check-pair.ts";
import type { DirectKind, OwnNetwork } from "./permit.ts";

/** A challenge to be sent now, on this socket to this address. */
export interface Probe {
  readonly socket: number;
  readonly remote: UdpAddress;
  /** Lower is better: 0 on the own link, 1 elsewhere. What goes over the server comes behind these. */
  readonly tier: number;
  /** How many routers it may pass; null for as many as it takes. RFC 791 calls it time to live. */
  readonly hopLimit: number | null;
}

/** Past the own NATs, a carrier's too, and not as far as the other end's. */
export const OPENER_HOPS = 4;
/** A path over the open internet. */
export const DIRECT_TIER = 1;

/** One new pair begins at a time, this far apart. Milliseconds. */
const PACE_MS = 20;
/** How long after the first success the others go on, so that a better one may win. Milliseconds. */
const SETTLE_MS = 300;
/** Without a word of the other end, so long after the first opener checks go out that arrive. Milliseconds. */
const GO_AFTER_MS = 1_000;

/**
 * Which pairs of socket and remote address to challenge, and when, for one session. It seals and sends nothing: after each call drain
 * `pollProbe`, send a challenge for each, then ask `pollTimeout` when to come back. The rules are those of PROTOCOL.md §10.5 and §10.6:
 * they hold against a peer that names someone else's address.
 */
export class Checks {
  readonly #list: CheckList;
  readonly #budget = new CheckBudget();
  #nextBeginAt = 0;
  /** When the first path was found since there was none. */
  #foundAt: number | null = null;
  #isSettled = false;
  /** From when on checks may arrive at a NAT. */
  #goAt = Infinity;

  constructor(own: OwnNetwork) {
    this.#list = new CheckList(own);
  }

  addLocal(now: number, local: LocalSocket): void {
    this.#welcome(now, this.#list.addSocket(local));
  }

  /** What the other end announced. */
  addRemote(now: number, candidate: Candidate): void {
    this.#welcome(now, this.#list.addCandidate(candidate));
  }

  /** Where the server has observed the other end. Seen elsewhere than before it may be nowhere else now, whatever has been settled on. */
  attested(now: number, addresses: readonly UdpAddress[]): void {
    this.#settle(now);
    for (const pair of this.#list.attest(addresses)) if (!pair.isValid) pair.queue();
  }

  /** The other end has opened its NATs towards all it knows of us. */
  go(now: number): void {
    this.#goAt = Math.min(this.#goAt, now);
  }

  /** What is known of this end has changed, or become clearer. */
  setOwn(now: number, own: OwnNetwork): void {
    this.#welcome(now, this.#list.setOwn(own));
  }

  /** A packet of the other end was opened that came this way, which is no path yet: challenged at once. */
  seen(now: number, socket: number, remote: UdpAddress): void {
    const pair = this.#pairFor(socket, remote);
    if (pair === undefined || pair.isValid) return;
    this.#budget.refund(pair.key, pair.permit.maxChecks);
    pair.hurry(now);
  }

  /** A challenge was answered. */
  validated(now: number, socket: number, remote: UdpAddress): void {
    const pair = this.#pairFor(socket, remote);
    if (pair === undefined) return;
    this.#budget.answered(pair.key);
    pair.validate();
    this.#foundAt ??= now;
  }

  /** The path died. Without another one, all addresses are tried again. */
  lost(now: number, socket: number, remote: UdpAddress): void {
    this.#list.find(socket, remote)?.lose(now);
    if (this.hasPath) return;
    this.#foundAt = null;
    this.#isSettled = false;
    for (const pair of this.#list.pairs) if (pair.isIdle) pair.lose(now);
  }

  /** This end is on another network: nothing found there holds any more. */
  restart(now: number): void {
    this.#budget.startAnew();
    this.#foundAt = null;
    this.#isSettled = false;
    for (const pair of this.#list.pairs) pair.restart(now);
  }

  /** A socket of passing use is closed. */
  removeSocket(socket: number): void {
    this.#list.removeSocket(socket);
  }

  /** Whether the server has seen the other end at this IP. */
  isAttested(ip: string): boolean {
    return this.#list.isAttested(ip);
  }

  get hasPath(): boolean {
    return this.#list.pairs.some((pair) => pair.isValid);
  }

  /** What a path there is called; null for one that must not be used. */
  kindOf(socket: number, remote: UdpAddress): DirectKind | null {
    return this.#list.find(socket, remote)?.permit.kind ?? null;
  }

  /** @returns the next challenge that is due */
  pollProbe(now: number): Probe | null {
    this.#budget.advance(now);
    this.#settle(now);
    for (const pair of this.#list.pairs) {
      if (now >= pair.roundAt) pair.startRound(now);
      if (pair.isUnopened && this.#hasBudget(pair) && now >= this.#budget.allowedAt(pair.key))
        return this.#open(now, pair);
      if (this.#dueAt(pair) <= now && this.#hasBudget(pair)) return this.#probe(now, pair);
    }
    return null;
  }

  /** The next time {@link pollProbe} may have something; null for never. */
  pollTimeout(): number | null {
    const at = Math.min(...this.#list.pairs.map((pair) => Math.min(this.#dueAt(pair), pair.roundAt)));
    return at === Infinity ? null : at;
  }

  #open(now: number, pair: CheckPair): Probe {
    if (this.#goAt === Infinity) this.#goAt = now + GO_AFTER_MS;
    this.#budget.spend(now, pair.key);
    pair.opened(now);
    return probeOf(pair, OPENER_HOPS);
  }

  #probe(now: number, pair: CheckPair): Probe {
    if (pair.isWaiting) this.#nextBeginAt = now + PACE_MS;
    this.#budget.spend(now, pair.key);
    pair.checked(now);
    return probeOf(pair, null);
  }

  #dueAt(pair: CheckPair): number {
    if (pair.isUnopened) return this.#budget.allowedAt(pair.key);
    const goAt = pair.waitsForOther ? this.#goAt : -Infinity;
    const turnAt = pair.isWaiting ? Math.max(this.#nextBeginAt, pair.dueAt, goAt) : pair.dueAt;
    return turnAt === Infinity ? Infinity : Math.max(turnAt, this.#budget.allowedAt(pair.key));
  }

  /** One that has answered once is known to be the other end's. */
  #hasBudget(pair: CheckPair): boolean {
    if (pair.hasAnswered || this.#budget.spentOn(pair.key) < pair.permit.maxChecks) return true;
    pair.stop();
    return false;
  }

  #settle(now: number): void {
    if (this.#isSettled || this.#foundAt === null || now < this.#foundAt + SETTLE_MS) return;
    this.#isSettled = true;
    for (const pair of this.#list.pairs) pair.stop();
  }

  /** Once a path is settled on, only what promises a better one is checked. */
  #welcome(now: number, pairs: readonly CheckPair[]): void {
    this.#settle(now);
    const valid = this.#list.pairs.filter((pair) => pair.isValid).map((pair) => pair.permit.rank);
    const best = this.#isSettled ? Math.min(...valid) : Infinity;
    for (const pair of pairs) if (!pair.isValid && pair.permit.rank < best) pair.queue();
  }

  #pairFor(socket: number, remote: UdpAddress): CheckPair | undefined {
    const known = this.#list.find(socket, remote);
    if (known !== undefined) return known;
    const candidate = { type: "peer-reflexive", address: remote } as const;
    if (!this.#list.hasSocket(socket)) return this.#list.addAlone(socket, candidate) ?? undefined;
    this.#list.addCandidate(candidate);
    return this.#list.find(socket, remote);
  }
}

function probeOf({ socket, remote, permit }: CheckPair, hopLimit: number | null): Probe {
  return { socket, remote, tier: permit.kind === "lan" ? 0 : DIRECT_TIER, hopLimit };
}
