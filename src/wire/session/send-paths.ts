import { familyOf } from "../address.ts";
import type { CongestionController } from "../congestion/controller.ts";
import type { Random } from "../core.ts";
import { MAX_PATH_ID } from "../packet/header.ts";
import { Mtu } from "./mtu.ts";
import { FIRST_FREE_PATH, RELAY_PATH, SERVER_PATH } from "./path-id.ts";
import { type Route, routeKey, SERVER_ROUTE, type UdpRoute } from "./route.ts";
import type { RouteState } from "./route-state.ts";
import { updateRtt } from "./rtt.ts";
import { SendPath } from "./send-path.ts";
import type { Fate } from "./sent-packets.ts";
import type { Tracer } from "./tracer.ts";

/** A path that comes back within this goes on with its congestion controller. Milliseconds. */
const FROZEN_MS = 30_000;
const MAX_FROZEN = 16;
const SERVER_KEY = routeKey(SERVER_ROUTE);
const LASTING_IDS = { server: SERVER_PATH, relay: RELAY_PATH } as const;

export interface SendPathsOptions {
  readonly random: Random;
  /** @param overTcp the path goes through the server's TCP */
  readonly congestion: (overTcp: boolean) => CongestionController;
  readonly skipEveryPackets: number;
  readonly tracer: Tracer | null;
  /** Nothing cuts packets up on their way out there, so that one that arrives shows what the path carries. */
  readonly isUnfragmented: (route: UdpRoute) => boolean;
  /** What a path that is given up had in flight goes back to where it came from. */
  readonly lost: Fate;
}

/** Packets on all paths there ever were. */
export interface PathTotals {
  sentPackets: number;
  lostPackets: number;
  spuriousPackets: number;
}

/** The paths we send on, by id. An id belongs to one route and is never given again; those over the server outlive their outages. */
export class SendPaths {
  readonly #options: SendPathsOptions;
  readonly #live = new Map<number, SendPath>();
  readonly #frozen = new Map<string, { readonly congestion: CongestionController; readonly at: number }>();
  /** Over the server's TCP, and over its UDP. */
  readonly #lasting = new Map<string, SendPath>();
  #nextId = FIRST_FREE_PATH;
  /** Over the server's TCP. */
  #serverBulkBytes = Number.POSITIVE_INFINITY;
  /** Of paths that are gone for good. */
  readonly #gone: PathTotals = { sentPackets: 0, lostPackets: 0, spuriousPackets: 0 };

  constructor(options: SendPathsOptions) {
    this.#options = options;
  }

  get(id: number): SendPath | null {
    return this.#live.get(id) ?? null;
  }

  values(): Iterable<SendPath> {
    return this.#live.values();
  }

  get totals(): PathTotals {
    const totals = { ...this.#gone };
    for (const path of this.#live.values()) count(totals, path);
    for (const path of this.#lasting.values()) if (!this.#live.has(path.id)) count(totals, path);
    return totals;
  }

  /** It was there, and may be gone. */
  wasUsed(id: number): boolean {
    if (id >= FIRST_FREE_PATH) return id < this.#nextId;
    return this.#lasting.values().some((path) => path.id === id);
  }

  /** So much more of bulk may go over the server's TCP. */
  limitServerBulk(bytes: number): void {
    this.#serverBulkBytes = bytes;
    const path = this.#lasting.get(SERVER_KEY);
    if (path !== undefined) path.bulkRoomBytes = bytes;
  }

  /** The route's path, made when first asked for. Null when all ids are used up. */
  on(route: RouteState, now: number): SendPath | null {
    const { kind } = route.route;
    route.path ??= kind === "udp" ? this.#further(route, now) : this.#lastingPath(LASTING_IDS[kind], route, now);
    return route.path;
  }

  /** Gives up what is in flight there; late acks change nothing any more. */
  close(route: RouteState, now: number): void {
    const { path } = route;
    if (path === null) return;
    path.recovery.abandon(this.#options.lost);
    this.#live.delete(path.id);
    if (this.#lasting.has(route.key)) return;
    count(this.#gone, path);
    this.#frozen.set(route.key, { congestion: path.congestion, at: now });
    if (this.#frozen.size > MAX_FROZEN) this.#frozen.delete(this.#frozen.keys().next().value ?? "");
  }

  #lastingPath(id: number, route: RouteState, now: number): SendPath {
    const path = this.#lasting.get(route.key) ?? this.#makeLasting(id, route, now);
    path.revive(route);
    this.#live.set(id, path);
    return path;
  }

  #makeLasting(id: number, route: RouteState, now: number): SendPath {
    const overTcp = route.key === SERVER_KEY;
    const path = this.#make(id, route, this.#options.congestion(overTcp), now);
    if (overTcp) path.bulkRoomBytes = this.#serverBulkBytes;
    this.#lasting.set(route.key, path);
    return path;
  }

  #further(route: RouteState, now: number): SendPath | null {
    if (this.#nextId > MAX_PATH_ID) return null;
    const path = this.#make(this.#nextId++, route, this.#thaw(route.key, now), now);
    this.#live.set(path.id, path);
    return path;
  }

  #thaw(key: string, now: number): CongestionController {
    const frozen = this.#frozen.get(key);
    this.#frozen.delete(key);
    return frozen !== undefined && now - frozen.at <= FROZEN_MS ? frozen.congestion : this.#options.congestion(false);
  }

  #make(id: number, route: RouteState, congestion: CongestionController, now: number): SendPath {
    const { random, skipEveryPackets, tracer } = this.#options;
    const mtu = new Mtu({ family: this.#probedFamily(route.route), now });
    const path = new SendPath(id, route, congestion, mtu, random, skipEveryPackets, now);
    tracer?.watch(path);
    if (route.baseRttMs !== null) path.recovery.rtt = updateRtt(null, route.baseRttMs, 0);
    return path;
  }

  #probedFamily(route: Route): 4 | 6 | null {
    return route.kind === "udp" && this.#options.isUnfragmented(route) ? familyOf(route.remote.ip) : null;
  }
}

function count(totals: PathTotals, { sentPackets, lostPackets, recovery }: SendPath): void {
  totals.sentPackets += sentPackets;
  totals.lostPackets += lostPackets;
  totals.spuriousPackets += recovery.spuriousPackets;
}
