import { ReplayWindow } from "../packet/replay-window.ts";
import { BurstSplitter } from "../packet/split.ts";
import { WindowedFilter } from "../congestion/windowed-filter.ts";
import { type Route, routeKey } from "./route.ts";
import type { SendPath } from "./send-path.ts";

/** Lower is better. Of the server's routes, over TCP and over UDP, and of a direct one that only the other end has used so far. */
export const SERVER_TIER = 100;
export const RELAY_TIER = 80;
export const SEEN_TIER = 50;
const TIERS: Readonly<Record<Route["kind"], number>> = { server: SERVER_TIER, relay: RELAY_TIER, udp: SEEN_TIER };
/** RFC 9000 §8.1. */
const AMPLIFICATION = 3;
/** So many packets, each so soon behind the one before, are a flow: whether it has ended or the route has is looked into. */
const FLOW_PACKETS = 8;
const FLOW_GAP_MS = 500;
const FLOW_SILENCE_MS = 1_000;
const FLOW_SILENCE_RTTS = 4;
/** Before there is one. Milliseconds. */
const ASSUMED_RTT_MS = 250;
/** The lowest RTT of so long stands for the route: queues of our own come and go. Milliseconds. */
const BASE_RTT_WINDOW_MS = 60_000;

/**
 * seen: authentic packets came from it. answered: our challenge came back, so it is the other end's. usable: and it carries full
 * datagrams.
 */
export type Standing = "seen" | "answered" | "usable";

/** What is known of one route. */
export class RouteState {
  readonly route: Route;
  readonly key: string;
  readonly splitter = new BurstSplitter();
  readonly #checks = new ReplayWindow();
  readonly #baseRtt = new WindowedFilter(BASE_RTT_WINDOW_MS, (a, b) => a < b);
  tier: number;
  standing: Standing = "seen";
  /** The path we send on there, once there was something to send. */
  path: SendPath | null = null;
  lastHeardAtMs: number;
  /** When it was last proven to work both ways. */
  confirmedAtMs = 0;
  /** Challenges sent since without an answer, and when the next is due. */
  unanswered = 0;
  challengeAt: number | null = null;
  /** Whether it still works is to be known soon. */
  isHurried = false;
  /** Another route fell silent, and nothing was heard on this one since: the same change may have ended both. */
  isUnsure = false;
  /** So that what follows from a silence follows once. */
  wasSuspect = false;
  #inFlow = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #wasUsable = false;

  constructor(route: Route, now: number) {
    this.route = route;
    this.key = routeKey(route);
    this.tier = TIERS[route.kind];
    this.lastHeardAtMs = now;
  }

  /**
   * Checks that came on this route; null where it is not proven to be the other end's, or is the server's. Somebody may see a check, and
   * have it here by another way before it comes by its own: on this route it counts all the same, RFC 9000 §9.3.3.
   */
  get checks(): ReplayWindow | null {
    return this.standing === "seen" || this.route.kind === "server" ? null : this.#checks;
  }

  get isUsable(): boolean {
    return this.standing === "usable";
  }

  /** Null before the first sample. */
  get baseRttMs(): number | null {
    return this.#baseRtt.value;
  }

  onRtt(now: number, rttMs: number): void {
    this.#baseRtt.update(now, rttMs);
  }

  onReceived(now: number, bytes: number): void {
    this.#inFlow = now - this.lastHeardAtMs < FLOW_GAP_MS ? this.#inFlow + 1 : 1;
    this.lastHeardAtMs = now;
    this.isUnsure = false;
    this.#receivedBytes += bytes;
  }

  /** When a flow of the other end will have been silent for suspiciously long; null while there is none. */
  get lookAt(): number | null {
    if (this.#inFlow < FLOW_PACKETS || !this.isUsable || this.route.kind === "server") return null;
    return this.lastHeardAtMs + Math.max(FLOW_SILENCE_MS, FLOW_SILENCE_RTTS * (this.baseRttMs ?? ASSUMED_RTT_MS));
  }

  looked(): void {
    this.#inFlow = 0;
  }

  /** An answer came. @returns whether something new is to be checked, or checked from the beginning */
  rise(answered: "reach" | "size"): boolean {
    const before = this.standing;
    if (answered === "size") this.standing = "usable";
    else if (before === "seen") this.standing = "answered";
    return this.standing !== before || this.isUsable;
  }

  /** It carried full datagrams once, and seems to do so no longer. */
  get isDoubted(): boolean {
    return this.standing === "answered" && this.#wasUsable;
  }

  doubt(): void {
    this.#wasUsable = true;
    this.standing = "answered";
  }

  /** What an address that has proven nothing may be sent: three times what came from there. */
  maySend(bytes: number): boolean {
    return this.standing !== "seen" || this.#sentBytes + bytes <= AMPLIFICATION * this.#receivedBytes;
  }

  onSent(bytes: number): void {
    this.#sentBytes += bytes;
  }
}
