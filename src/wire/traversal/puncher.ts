import { formatIp, parseIp, sameAddress, type UdpAddress } from "../address.ts";
import type { Random } from "../core.ts";
import type { Frame } from "../messages/session.ts";
import { DIRECT_TIER, OPENER_HOPS, type Probe } from "./checks.ts";
import { type Mapping, unknownMapping } from "./mapping.ts";
import { OwnSeries } from "./own-series.ts";
import { mostChecks, PortSearch } from "./port-search.ts";
import { type PunchPlan, punchPlan, type Search, searches } from "./punch-plan.ts";
import type { SearchTurn } from "./search-turn.ts";

export type SeekMe = Extract<Frame, { kind: "seekMe" }>;

export type SocketEvent =
  /** So many new IPv4 sockets, of which the first few ask the server where it sees them: answered by `socketsOpened`. */
  | { readonly kind: "sockets-wanted"; readonly sockets: number; readonly surveyed: number }
  /** They may be closed. */
  | { readonly kind: "sockets-unwanted"; readonly sockets: readonly number[] };

export type PunchEvent = { readonly kind: "say"; readonly frame: SeekMe } | SocketEvent;

export interface PuncherOptions {
  readonly random: Random;
  readonly turn: SearchTurn;
}

/** Plain checks get so long a start. Milliseconds. */
const HEAD_START_MS = 400;
/** So long a word of how the other end's NAT maps is waited for on top. Milliseconds. */
const UNKNOWN_AFTER_MS = 2_000;
/** Where another session of this process searches just now. Milliseconds. */
const TRY_TURN_AFTER_MS = 1_000;
/** What found no way may find one later, when the routers give other ports. Milliseconds. */
const NEXT_SERIES_AFTER_MS = 60_000;
/** Between long series with one peer, and between long searches for one. Milliseconds. */
const GAP_MS = 20_000;
/** Without a success, until something changes on either network. */
const MAX_SERIES = 2;
/** Of one series: what a search asked for by the other end counts. Foretold ports come in three rounds. */
const COSTS: Readonly<Record<Search, number>> = { predict: 1 / 3, window: 1, birthday: 1 };
/** Answers may be on their way still. Milliseconds. */
const LINGER_MS = 500;
/** What the other end asked for is no longer of use then. Milliseconds. */
const STALE_AFTER_MS = 8_000;

/** An end that lost a few rounds goes on with the other's; numbers further on are made up. */
const MAX_ROUNDS_AHEAD = 64;

interface Wish {
  readonly round: number;
  readonly how: Search;
  readonly ip: string;
  readonly ports: readonly number[];
  readonly staleAt: number;
}

interface Running {
  readonly search: PortSearch;
  readonly socket: number;
  readonly ip: string;
  readonly endsAt: number;
}

/**
 * Ways through NATs that give each destination a port of its own, for one session: opens sockets whose ports the other end searches for,
 * and searches for those of the other end. PROTOCOL.md §10.7. It seals and sends nothing, as {@link Checks}.
 */
export class Puncher {
  readonly #options: PuncherOptions;
  readonly #events: PunchEvent[] = [];
  #own: Mapping = unknownMapping;
  #theirs: Mapping = unknownMapping;
  #mainSocket: number | null = null;
  /** Where the server sees our main socket. */
  #seenAt: UdpAddress | null = null;
  /** Where it sees the other end's. */
  #target: UdpAddress | null = null;
  #isWanted = false;
  #startAt = Infinity;
  #notBefore = 0;
  #seriesLeft = MAX_SERIES;
  #searchesLeft = MAX_SERIES;
  #round = 0;
  #series: OwnSeries | null = null;
  /** Sockets are on their way for this series; for null they are no longer wanted. */
  readonly #ordered: (OwnSeries | null)[] = [];
  #wish: Wish | null = null;
  #wishAt = 0;
  #running: Running | null = null;

  constructor(options: PuncherOptions) {
    this.#options = options;
  }

  /** The socket whose address the server tells the other end. */
  setMain(socket: number): void {
    this.#mainSocket ??= socket;
  }

  /** How our NAT maps, and where the server sees our main socket; null for not known. */
  setOwn(mapping: Mapping, seenAt: UdpAddress | null): void {
    this.#own = mapping;
    this.#seenAt = seenAt;
  }

  setTheirs(mapping: Mapping): void {
    this.#theirs = mapping;
  }

  /** Where the server sees the other end. It is on another network when that changes. */
  setTarget(now: number, target: UdpAddress): void {
    if (this.#target !== null && sameAddress(this.#target, target)) return;
    const isElsewhere = this.#target !== null && this.#target.ip !== target.ip;
    this.#target = target;
    if (isElsewhere) this.renew(now);
  }

  /** There is no path: one is wanted. */
  begin(now: number): void {
    if (!this.#isWanted) this.#schedule(now);
    this.#isWanted = true;
  }

  /** One of the networks is another now: what came to nothing may succeed. */
  renew(now: number): void {
    this.#seriesLeft = MAX_SERIES;
    this.#searchesLeft = MAX_SERIES;
    this.#endSeries(now, null);
    this.#endSearch();
    this.#schedule(now);
  }

  /** There is a path. @param kept new sockets that stay open: whose it is, and others over which the other end was heard */
  found(now: number, kept: ReadonlySet<number>): void {
    this.#isWanted = false;
    this.#seriesLeft = MAX_SERIES;
    this.#searchesLeft = MAX_SERIES;
    this.#wish = null;
    this.#endSeries(now, kept);
    this.#endSearch();
  }

  /** The session is over: others may search. */
  stop(): void {
    this.#isWanted = false;
    this.#running = null;
    this.#series = null;
    this.#options.turn.release(this);
  }

  /** Consent of the other end: these ports of its NAT may be searched. @param isAttested whether the server saw it at this IP */
  heard(now: number, { round, how, address, ports }: SeekMe, isAttested: (ip: string) => boolean): void {
    const search = searches[how];
    if (address.length !== 4 || search === undefined || (search !== "birthday" && ports.length === 0)) return;
    const ip = formatIp(address);
    if (!isAttested(ip)) return;
    this.#wish = { round, how: search, ip, ports, staleAt: now + STALE_AFTER_MS };
    this.#wishAt = now;
  }

  /**
   * @param sockets as many as there were to be had
   * @param addresses where the server sees the first ones of them, as far as they asked
   */
  socketsOpened(now: number, sockets: readonly number[], addresses: readonly (UdpAddress | null)[]): void {
    const series = this.#ordered.shift() ?? null;
    if (series === null || series !== this.#series) return this.#letGo(sockets);
    if (sockets.length === 0) return this.#endSeries(now, null);
    const surveyed = addresses.filter((address) => address !== null);
    const seen = series.needs.surveyed === 0 && this.#seenAt !== null ? [this.#seenAt] : surveyed;
    const at = series.open(now, sockets, seen, this.#own, this.#plan.seeksTheirs);
    this.#wishAt = now;
    if (at === null) return this.#endRound(now);
    const address = parseIp(at.ip) ?? new Uint8Array(0);
    const how = searches.indexOf(series.how);
    this.#events.push({ kind: "say", frame: { kind: "seekMe", round: series.round, how, address, ports: at.ports } });
  }

  pollEvent(): PunchEvent | null {
    return this.#events.shift() ?? null;
  }

  pollProbe(now: number): Probe | null {
    this.#advance(now);
    const hole = this.#series?.poll(now) ?? null;
    if (hole !== null && this.#target !== null) return probe(hole.socket, this.#target, hole.isOpener);
    const check = this.#running?.search.poll(now) ?? null;
    if (check === null || this.#running === null) return null;
    const { socket, ip } = this.#running;
    return probe(socket, { ip, port: check.port }, check.isOpener);
  }

  /** Infinity for never. */
  get dueAt(): number {
    const { search, endsAt } = this.#running ?? { search: null, endsAt: Infinity };
    const searchAt = search === null ? Infinity : search.isOver ? endsAt : search.dueAt;
    const wishAt = this.#wish !== null && this.#maySeek ? this.#wishAt : Infinity;
    return Math.min(this.#series?.dueAt ?? this.#seriesAt, searchAt, wishAt);
  }

  get #plan(): PunchPlan {
    return punchPlan(this.#own, this.#theirs);
  }

  get #maySeek(): boolean {
    return this.#isWanted && this.#plan.seeksTheirs;
  }

  /** When the next series of ours may begin. */
  get #seriesAt(): number {
    const isPossible = this.#isWanted && this.#plan.ours !== null && this.#target !== null && this.#seriesLeft > 0;
    if (!isPossible) return Infinity;
    return this.#startAt + (this.#theirs.kind === "unknown" ? UNKNOWN_AFTER_MS : 0);
  }

  #advance(now: number): void {
    if (this.#series?.isRoundOver(now) === true) this.#endRound(now);
    if (this.#running?.search.isOver === true && now >= this.#running.endsAt) this.#endSearch();
    if (this.#series === null && now >= this.#seriesAt) this.#startSeries(now, this.#round + 1);
    if (this.#wish !== null && this.#maySeek && now >= this.#wishAt) this.#answer(now, this.#wish);
  }

  #startSeries(now: number, round: number): void {
    const how = this.#plan.ours;
    if (how === null || this.#target === null || this.#seriesLeft === 0) return;
    const series = new OwnSeries(how, round);
    this.#startAt = this.#turnAt(now, how, this.#target.ip, series.checks);
    if (now < this.#startAt) return;
    this.#seriesLeft--;
    this.#began(now, how, this.#target.ip, series.checks);
    this.#series = series;
    this.#order(series);
  }

  /** When it is our turn for so many checks towards this IP: `now`, or later. */
  #turnAt(now: number, how: Search, ip: string, checks: number): number {
    const { turn } = this.#options;
    const gapAt = how === "predict" ? now : this.#notBefore;
    const at = Math.max(now, gapAt, turn.allowedAt(now, ip, checks));
    return at > now || turn.take(this) ? at : now + TRY_TURN_AFTER_MS;
  }

  #began(now: number, how: Search, ip: string, checks: number): void {
    if (how !== "predict") this.#notBefore = now + GAP_MS;
    this.#options.turn.note(now, ip, checks);
  }

  #order(series: OwnSeries): void {
    this.#round = series.round;
    this.#ordered.push(series);
    const { sockets, surveyed } = series.needs;
    this.#events.push({ kind: "sockets-wanted", sockets, surveyed });
  }

  #schedule(now: number): void {
    this.#startAt = Math.max(now + HEAD_START_MS, this.#notBefore);
  }

  #endRound(now: number): void {
    const series = this.#series;
    if (series === null) return;
    this.#letGo(series.opening?.sockets ?? []);
    if (series.next()) this.#order(series);
    else this.#endSeries(now, null);
  }

  #endSeries(now: number, kept: ReadonlySet<number> | null): void {
    this.#letGo((this.#series?.opening?.sockets ?? []).filter((socket) => kept?.has(socket) !== true));
    this.#series = null;
    this.#ordered.fill(null);
    this.#startAt = now + NEXT_SERIES_AFTER_MS;
    if (this.#running === null) this.#options.turn.release(this);
  }

  #endSearch(): void {
    this.#running = null;
    if (this.#series === null) this.#options.turn.release(this);
  }

  #letGo(sockets: readonly number[]): void {
    if (sockets.length > 0) this.#events.push({ kind: "sockets-unwanted", sockets });
  }

  /** Where both ends foretell, each port of ours is used up by one of theirs: so both rounds have to be the same. */
  #answer(now: number, wish: Wish): void {
    if (now >= wish.staleAt || this.#searchesLeft < COSTS[wish.how] / 2) {
      this.#wish = null;
      return;
    }
    const socket = this.#plan.ours === null ? this.#mainSocket : this.#socketFor(now, wish.round);
    this.#wishAt =
      socket === null ? now + TRY_TURN_AFTER_MS : this.#turnAt(now, wish.how, wish.ip, mostChecks(wish.how));
    if (socket !== null && now >= this.#wishAt) this.#seek(now, wish, socket);
  }

  #seek(now: number, { how, ip, ports }: Wish, socket: number): void {
    this.#wish = null;
    this.#searchesLeft -= COSTS[how];
    this.#began(now, how, ip, mostChecks(how));
    const opensFirst = this.#plan.ours !== null;
    const search = new PortSearch(now, { how, ports, opensFirst, random: this.#options.random });
    this.#running = { search, socket, ip, endsAt: search.lastAt + LINGER_MS };
  }

  /** @returns null while our own ports of this round are not known yet */
  #socketFor(now: number, round: number): number | null {
    const series = this.#series;
    if (round > this.#round + MAX_ROUNDS_AHEAD) return null;
    if (series === null) this.#startSeries(now, round);
    else if (series.round < round && series.opening !== null) this.#skipTo(now, series, round);
    return series?.round === round ? (series.opening?.sockets[0] ?? null) : null;
  }

  #skipTo(now: number, series: OwnSeries, round: number): void {
    this.#letGo(series.opening?.sockets ?? []);
    if (series.next(round)) this.#order(series);
    else this.#endSeries(now, null);
  }
}

function probe(socket: number, remote: UdpAddress, isOpener: boolean): Probe {
  return { socket, remote, tier: DIRECT_TIER, hopLimit: isOpener ? OPENER_HOPS : null };
}
