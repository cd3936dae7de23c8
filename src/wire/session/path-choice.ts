import type { RouteState } from "./route-state.ts";

/** A route of the same tier must be faster by both of these, and for so long. PROTOCOL.md §7.8. */
const MIN_GAIN_MS = 5;
const MIN_GAIN_SHARE = 0.1;
const HELD_MS = 3_000;

export interface Choice {
  readonly route: RouteState;
  readonly why: string;
}

/** Which usable route to send on: the best tier, then the lowest RTT, and no changing back and forth over a few milliseconds. */
export class PathChoice {
  #fasterKey: string | null = null;
  #fasterSinceMs = 0;

  /** @returns the route to send on from now; null when there is none at all */
  choose(now: number, routes: readonly RouteState[], current: RouteState | null): Choice | null {
    const sound = routes.filter((route) => route.isUsable && isSound(route));
    const usable = sound.length > 0 ? sound : routes.filter((route) => route.isUsable);
    const best = usable.reduce<RouteState | null>((a, b) => (a === null || isBefore(b, a) ? b : a), null);
    if (best === null) return null;
    if (current === null) return { route: best, why: "there was no path" };
    if (!usable.includes(current)) return { route: best, why: "the path before stopped answering" };
    if (best.tier < current.tier && sound.length > 0) return { route: best, why: "a better kind of path" };
    return this.#isFasterLongEnough(now, best, current)
      ? { route: best, why: "a faster path" }
      : { route: current, why: "" };
  }

  /** When a faster route will have been faster for long enough. */
  pollTimeout(): number | null {
    return this.#fasterKey === null ? null : this.#fasterSinceMs + HELD_MS;
  }

  #isFasterLongEnough(now: number, best: RouteState, current: RouteState): boolean {
    if (best === current || best.tier !== current.tier || !isClearlyFaster(best, current)) {
      this.#fasterKey = null;
      return false;
    }
    if (this.#fasterKey !== best.key) this.#fasterSinceMs = now;
    this.#fasterKey = best.key;
    if (now < this.#fasterSinceMs + HELD_MS) return false;
    this.#fasterKey = null;
    return true;
  }
}

/** Nothing speaks against it. */
export function isSound(route: RouteState): boolean {
  if (route.isUnsure) return false;
  return route.path === null || (!route.path.isSuspect && route.path.eligibleAtMs === null);
}

function isBefore(a: RouteState, b: RouteState): boolean {
  return a.tier === b.tier ? rttOf(a) < rttOf(b) : a.tier < b.tier;
}

function isClearlyFaster(a: RouteState, b: RouteState): boolean {
  const gainMs = rttOf(b) - rttOf(a);
  return gainMs >= MIN_GAIN_MS && gainMs >= MIN_GAIN_SHARE * rttOf(b);
}

function rttOf(route: RouteState): number {
  return route.baseRttMs ?? Number.POSITIVE_INFINITY;
}
