import type { Random } from "../core.ts";
import { SHORT_KEEPALIVE_MS } from "../limits.ts";
import type { PathChallenges } from "./path-challenges.ts";
import type { RouteState } from "./route-state.ts";

/** Gaps between challenges to a route the other end uses and that we have not heard answer. Milliseconds. */
const REACH_GAPS_MS = [200, 400, 800, 1_600, 3_200];
/** How often a full datagram is tried, so that a third of all lost ones costs no route; without end where nothing else is left. */
const SIZE_TRIES = 8;
/** Behind the first one: so long, or a quarter more than the RTT. Each gap behind it is as much longer as a quarter of the first. Milliseconds. */
const SIZE_GAP_MS = 100;
const MAX_SIZE_GAP_MS = 3_000;
/** Behind an unanswered keepalive. Milliseconds. */
const KEEPALIVE_GAPS_MS = [1_000, 2_000, 2_000];
/** Where it is to be known soon whether a route still works: so many at once, since any may be lost … Milliseconds. */
const VOLLEY = 4;
const VOLLEY_GAP_MS = 100;
/** … then after so long, or two RTTs, if longer. Milliseconds. */
const HURRIED_GAP_MS = 300;
const HURRIED_TRIES = 8;
/** So often in a row a keepalive has to be repeated before it counts as late: one of them may be lost on any link. */
const LATE_KEEPALIVES = 2;

/**
 * When which route is challenged, by its standing: one that was only seen, to learn whether it is the other end's; one that answered,
 * to learn whether it carries full datagrams; a usable one after a while without proof that it still works.
 */
export class RouteChecks {
  readonly #challenges: PathChallenges;
  readonly #random: Random;
  readonly #usualKeepaliveMs: number;
  #keepaliveMs: number;
  /** Keepalives in a row whose first challenge was not answered. */
  #late = 0;

  constructor(challenges: PathChallenges, random: Random, keepaliveMs: number) {
    this.#challenges = challenges;
    this.#random = random;
    this.#usualKeepaliveMs = keepaliveMs;
    this.#keepaliveMs = keepaliveMs;
  }

  /** This end is on another network. */
  renew(): void {
    this.#keepaliveMs = this.#usualKeepaliveMs;
    this.#late = 0;
  }

  /** The route changed its standing, or has just proven itself: what comes next, and when. */
  restart(now: number, route: RouteState): void {
    if (route.isUsable && !route.isHurried && route.unanswered > 0) this.#learn(route.unanswered > 1);
    route.unanswered = 0;
    route.isHurried = false;
    if (route.route.kind === "server") route.challengeAt = null;
    else route.challengeAt = route.isUsable ? now + this.#keepaliveGapMs() : now;
  }

  /** Whether it still works is to be known soon. */
  hurry(now: number, route: RouteState): void {
    if (route.isHurried) return;
    route.isHurried = true;
    route.unanswered = 0;
    route.challengeAt = now;
  }

  /**
   * @param isLast there was data on it, and no other route is left for that
   * @returns why the route is to be given up; null while it is not
   */
  handleTimeout(now: number, route: RouteState, isLast: boolean): string | null {
    if (route.challengeAt === null || now < route.challengeAt) return null;
    if (route.isUsable) return this.#keepAlive(now, route);
    return route.standing === "answered" ? this.#trySize(now, route, isLast) : this.#reach(now, route);
  }

  #keepAlive(now: number, route: RouteState): string | null {
    if (route.isHurried) return this.#prove(now, route);
    const idleMs = now - route.confirmedAtMs;
    if (route.unanswered === 0 && idleMs < this.#keepaliveMs / 2) {
      this.restart(now, route);
      return null;
    }
    const isOver = route.unanswered >= KEEPALIVE_GAPS_MS.length;
    if (isOver) this.#shorten();
    this.#send(now, route, KEEPALIVE_GAPS_MS[route.unanswered] ?? 2_000);
    return isOver ? "keepalives stay unanswered" : null;
  }

  /** A volley that stays unanswered casts doubt on the path, as probe timeouts do. */
  #prove(now: number, route: RouteState): string | null {
    if (route.unanswered >= VOLLEY) route.path?.doubt(route.lastHeardAtMs);
    const isOver = route.unanswered >= HURRIED_TRIES;
    if (isOver) route.isHurried = false;
    const isInVolley = route.unanswered < VOLLEY - 1;
    this.#send(now, route, isInVolley ? VOLLEY_GAP_MS : Math.max(HURRIED_GAP_MS, 2 * (route.baseRttMs ?? 0)));
    return isOver ? "it fell silent" : null;
  }

  #trySize(now: number, route: RouteState, isLast: boolean): string | null {
    if (route.unanswered >= SIZE_TRIES && !isLast) return "it does not carry 1200 bytes";
    const firstMs = Math.max(SIZE_GAP_MS, 1.25 * (route.baseRttMs ?? 0));
    const gapMs = firstMs * (1 + route.unanswered / 4);
    this.#send(now, route, Math.min(gapMs, MAX_SIZE_GAP_MS), "size");
    return null;
  }

  #reach(now: number, route: RouteState): null {
    const gapMs = REACH_GAPS_MS[route.unanswered];
    if (gapMs === undefined) route.challengeAt = null;
    else this.#send(now, route, gapMs);
    return null;
  }

  #send(now: number, route: RouteState, gapMs: number, kind: "reach" | "size" = "reach"): void {
    this.#challenges.challenge(now, route.route, kind, true);
    route.unanswered++;
    route.challengeAt = now + gapMs;
  }

  /** Some NATs forget a mapping after 10 s: what comes then is lost, until both ends have sent again. */
  #learn(isLate: boolean): void {
    this.#late = isLate ? this.#late + 1 : 0;
    if (this.#late >= LATE_KEEPALIVES) this.#shorten();
  }

  #shorten(): void {
    this.#keepaliveMs = Math.min(this.#keepaliveMs, SHORT_KEEPALIVE_MS);
  }

  /** Plus or minus a fifth, so that the two ends and many sessions do not beat together. */
  #keepaliveGapMs(): number {
    const [byte = 0] = this.#random(1);
    return this.#keepaliveMs * (0.8 + (0.4 * byte) / 255);
  }
}
