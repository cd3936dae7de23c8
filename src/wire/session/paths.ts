import type { Random } from "../core.ts";
import type { Frame } from "../messages/session.ts";
import type { EventQueue } from "./events.ts";
import { observedAddress, PathChallenges } from "./path-challenges.ts";
import { isSound, PathChoice } from "./path-choice.ts";
import { CHECKS_PATH } from "./path-id.ts";
import { type Route, routeKey } from "./route.ts";
import { RouteChecks } from "./route-checks.ts";
import { RouteState } from "./route-state.ts";
import type { SendPath } from "./send-path.ts";
import { type PathTotals, SendPaths, type SendPathsOptions } from "./send-paths.ts";

/** Routes kept at once, the server's two included; unproven ones go first. */
const MAX_ROUTES = 18;
/** A route is given up this long after the first packet it left unacknowledged, or after three RTTs of a very long path. Milliseconds. */
const LOST_AFTER_MS = 2_500;
/** Routes that the user probes and that have not answered; a birthday series of checks fits. */
const MAX_PROBED = 2_048;

export interface PathsOptions extends SendPathsOptions {
  readonly random: Random;
  readonly keepaliveMs: number;
  readonly events: EventQueue;
}

/** The routes of a session, the paths we send on there, and which one is chosen. */
export class Paths {
  readonly challenges: PathChallenges;
  readonly #options: PathsOptions;
  readonly #checks: RouteChecks;
  readonly #choice = new PathChoice();
  readonly #routes = new Map<string, RouteState>();
  readonly #sending: SendPaths;
  /** Tiers of routes that the user probes and that have not answered. */
  readonly #probedTiers = new Map<string, number>();
  #selected: RouteState | null = null;
  /** The one that was told last, and why {@link #selected} was chosen. */
  #told: RouteState | null = null;
  #why = "";

  constructor(options: PathsOptions) {
    this.#options = options;
    this.#sending = new SendPaths(options);
    this.challenges = new PathChallenges(options.random);
    this.#checks = new RouteChecks(this.challenges, options.random, options.keepaliveMs);
  }

  /** Where data goes now. */
  selected(now: number): SendPath | null {
    return this.#selected === null ? null : this.pathOn(this.#selected, now);
  }

  get selectedRoute(): RouteState | null {
    return this.#selected;
  }

  get all(): Iterable<SendPath> {
    return this.#sending.values();
  }

  get totals(): PathTotals {
    return this.#sending.totals;
  }

  get routes(): Iterable<RouteState> {
    return this.#routes.values();
  }

  routeOf(key: string): RouteState | null {
    return this.#routes.get(key) ?? null;
  }

  byId(id: number): SendPath | null {
    return this.#sending.get(id);
  }

  /** A path of ours that was there, and may be gone. */
  wasUsed(id: number): boolean {
    return this.#sending.wasUsed(id);
  }

  setServerRoute(now: number, available: boolean): void {
    const known = this.#routes.get("server");
    if (available && known === undefined) {
      const route = new RouteState({ kind: "server" }, now);
      route.standing = "usable";
      this.#routes.set(route.key, route);
      this.choose(now);
    } else if (!available && known !== undefined) this.#drop(now, known);
  }

  /** So much more of bulk may go over the server's TCP. */
  limitServerBulk(bytes: number): void {
    this.#sending.limitServerBulk(bytes);
  }

  /** This end is on another network: what was learnt of its NAT holds no more. */
  networkChanged(): void {
    this.#checks.renew();
  }

  /** What has fallen silent on that socket stays so: the ways that led to its old address are gone. */
  addressChanged(now: number, socket: number): void {
    for (const state of this.#routes.values()) {
      const isOurs = state.route.kind === "udp" && state.route.socket === socket;
      if (isOurs && state.path?.isSuspect === true && this.#hasOther(state))
        this.#lose(now, state, "our address has changed");
    }
  }

  /** A challenge on a route, whether known or not; what answers becomes known. */
  probe(now: number, route: Route, tier: number): void {
    const known = this.#routes.get(routeKey(route));
    if (known !== undefined) known.tier = tier;
    this.#probedTiers.delete(routeKey(route));
    this.#probedTiers.set(routeKey(route), tier);
    if (this.#probedTiers.size > MAX_PROBED) this.#probedTiers.delete(this.#probedTiers.keys().next().value ?? "");
    // The server has proven to itself that our end of a relay leg is ours: nobody else is sent what is long.
    this.challenges.challenge(now, route, route.kind === "relay" ? "size" : "reach", false);
  }

  forget(now: number, route: Route): void {
    const known = this.#routes.get(routeKey(route));
    this.#probedTiers.delete(routeKey(route));
    if (known !== undefined) this.#drop(now, known);
  }

  /** An authentic packet came from this route. @returns what is known of it; null for the server's while that is not available */
  heard(now: number, route: Route, key: string, bytes: number, pathId: number): RouteState | null {
    const state = this.#routes.get(key) ?? this.#see(now, route);
    if (state === null) return null;
    state.onReceived(now, bytes);
    state.path?.recovery.onSignOfLife();
    const isUnproven = state.standing === "seen" && pathId !== CHECKS_PATH;
    if (isUnproven && state.challengeAt === null) this.#checks.restart(now, state);
    return state;
  }

  onChallenge(route: RouteState, nonce: Uint8Array): void {
    this.challenges.respond(route.route, nonce);
  }

  /** @throws WireError when the observed address is none */
  onResponse(now: number, route: RouteState, frame: Extract<Frame, { kind: "response" }>): void {
    const observed = observedAddress(frame);
    const answer = this.challenges.onResponse(now, route.key, frame.nonce);
    if (answer === null || route.route.kind === "server") return;
    route.onRtt(now, answer.rttMs);
    route.confirmedAtMs = now;
    route.path?.onAnswered(now);
    if (route.standing === "seen")
      this.#options.events.push({ kind: "route-validated", route: route.route, rttMs: answer.rttMs, observed });
    if (route.rise(answer.kind)) this.#checks.restart(now, route);
    this.choose(now);
  }

  /** The path we send on there; made when first needed. Null when all ids are used up. */
  pathOn(route: RouteState, now: number): SendPath | null {
    return this.#sending.on(route, now);
  }

  handleTimeout(now: number): void {
    for (const path of this.#sending.values()) path.handleTimeout(now, this.#options.lost);
    for (const route of this.#routes.values()) {
      this.#doubtSize(now, route);
      const hasOther = this.#hasOther(route);
      const why = this.#checks.handleTimeout(now, route, route.isDoubted && !hasOther) ?? this.#silence(now, route);
      this.#look(now, route);
      const isLimited = why !== null && (!route.isUsable || hasOther);
      if (isLimited) this.#lose(now, route, why);
    }
    this.choose(now);
  }

  pollTimeout(): number | null {
    let at = this.#choice.pollTimeout() ?? Number.POSITIVE_INFINITY;
    for (const path of this.#sending.values()) at = Math.min(at, path.pollTimeout() ?? at, path.eligibleAtMs ?? at);
    for (const route of this.#routes.values()) {
      at = Math.min(at, route.challengeAt ?? at, route.lookAt ?? at);
      if (this.#hasOther(route)) at = Math.min(at, lostAt(route) ?? at);
    }
    return Number.isFinite(at) ? at : null;
  }

  /** Looks whether another route should carry the data from now on. */
  choose(now: number): void {
    for (const path of this.#sending.values()) path.endProbation(now);
    const choice = this.#choice.choose(now, [...this.#routes.values()], this.#selected);
    if (choice === null) this.#told = null;
    else if (choice.route !== this.#selected) this.#why = choice.why;
    this.#selected = choice?.route ?? null;
    if (choice !== null) this.#tell(choice.route);
  }

  /** Where all that is left has fallen silent, data goes there too, but nobody is told of a path before something is heard on it. */
  #tell(route: RouteState): void {
    if (route === this.#told || (this.#told !== null && !isSound(route))) return;
    this.#told = route;
    const { route: to, baseRttMs } = route;
    this.#options.events.push({ kind: "path-selected", route: to, rttMs: baseRttMs, why: this.#why });
  }

  /** The other end says nothing more where it was saying much, or we get no acks: what else may that have ended? */
  #look(now: number, route: RouteState): void {
    if (route.lookAt !== null && now >= route.lookAt) {
      route.looked();
      this.#checks.hurry(now, route);
    }
    const isSuspect = route.path?.isSuspect === true;
    if (isSuspect && !route.wasSuspect) {
      // However that came out: what is on its way there goes out again elsewhere.
      route.path?.recovery.abandon(this.#options.lost);
      this.#unsettle(now, route);
    }
    route.wasSuspect = isSuspect;
  }

  /** A network that changed ends all that went through it: what was not heard since is asked first. */
  #unsettle(now: number, silent: RouteState): void {
    const since = silent.path?.suspectSinceMs ?? now;
    for (const route of this.#routes.values()) {
      if (route === silent || !route.isUsable || route.route.kind === "server" || route.lastHeardAtMs > since) continue;
      route.isUnsure = true;
      this.#checks.hurry(now, route);
    }
  }

  #see(now: number, route: Route): RouteState | null {
    if (route.kind === "server") return null;
    const state = new RouteState(route, now);
    state.tier = this.#probedTiers.get(state.key) ?? state.tier;
    this.#makeRoom(now);
    this.#routes.set(state.key, state);
    this.#options.events.push({ kind: "route-seen", route });
    return state;
  }

  /** Of the routes not in use the one that was silent longest goes, unproven ones first. */
  #makeRoom(now: number): void {
    if (this.#routes.size < MAX_ROUTES) return;
    const spare = [...this.#routes.values()].filter((route) => route !== this.#selected && route.route.kind === "udp");
    const rank = (route: RouteState) => (route.standing === "seen" ? 0 : 1e15) + route.lastHeardAtMs;
    const silent = spare.reduce((a, b) => (rank(b) < rank(a) ? b : a));
    this.#sending.close(silent, now);
    this.#routes.delete(silent.key);
    if (silent.standing !== "seen")
      this.#options.events.push({ kind: "route-lost", route: silent.route, why: "there are too many" });
  }

  /** Back to a route that has answered: it is usable again when a full datagram is answered too. */
  #doubtSize(now: number, route: RouteState): void {
    if (route.route.kind === "server" || route.path?.takeSizeDoubt() !== true) return;
    route.doubt();
    route.path.mtu.onBaseLost(now);
    this.#checks.restart(now, route);
  }

  /** @returns why a silent path is given up */
  #silence(now: number, route: RouteState): string | null {
    const at = lostAt(route);
    return at !== null && now >= at ? "packets stay unacknowledged" : null;
  }

  /** The last usable route is never given up, and the server's is only ever taken away. */
  #hasOther(route: RouteState): boolean {
    if (route.route.kind === "server") return false;
    for (const other of this.#routes.values())
      if (other !== route && other.isUsable && other.path?.isSuspect !== true) return true;
    return false;
  }

  #lose(now: number, route: RouteState, why: string): void {
    this.#options.events.push({ kind: "route-lost", route: route.route, why });
    this.#drop(now, route);
  }

  #drop(now: number, route: RouteState): void {
    this.#routes.delete(route.key);
    this.#sending.close(route, now);
    if (this.#selected === route) this.#selected = null;
    this.choose(now);
  }
}

function lostAt({ path, baseRttMs }: RouteState): number | null {
  if (path === null || path.suspectSinceMs === null) return null;
  return path.suspectSinceMs + Math.max(LOST_AFTER_MS, 3 * (baseRttMs ?? 0));
}
