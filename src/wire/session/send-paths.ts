import { familyOf } from "../address.ts";
import type { CongestionController } from "../congestion/controller.ts";
import type { Random } from "../core.ts";
import { MAX_PATH_ID } from "../packet/header.ts";
import { Mtu } from "./mtu.ts";
import { FIRST_FREE_PATH, SERVER_PATH } from "./path-id.ts";
import type { Route, UdpRoute } from "./route.ts";
import type { RouteState } from "./route-state.ts";
import { updateRtt } from "./rtt.ts";
import { SendPath } from "./send-path.ts";
import type { Fate } from "./sent-packets.ts";
import type { Tracer } from "./tracer.ts";

/** A path that comes back within this goes on with its congestion controller. Milliseconds. */
const FROZEN_MS = 30_000;
const MAX_FROZEN = 16;

export interface SendPathsOptions {
  readonly random: Random;
  readonly congestion: () => CongestionController;
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

/** The paths we send on, by id. An id belongs to one route and is never given again; the server's path outlives its outages. */
export class SendPaths {
  readonly #options: SendPathsOptions;
  readonly #live = new Map<number, SendPath>();
  readonly #frozen = new Map<string, { readonly congestion: CongestionController; readonly at: number }>();
  #server: SendPath | null = null;
  #nextId = FIRST_FREE_PATH;
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
    if (this.#server !== null && !this.#live.has(this.#server.id)) count(totals, this.#server);
    return totals;
  }

  /** It was there, and may be gone. */
  wasUsed(id: number): boolean {
    return id === SERVER_PATH ? this.#server !== null : id >= FIRST_FREE_PATH && id < this.#nextId;
  }

  /** The route's path, made when first asked for. Null when all ids are used up. */
  on(route: RouteState, now: number): SendPath | null {
    route.path ??= route.route.kind === "server" ? this.#serverPath(route, now) : this.#further(route, now);
    return route.path;
  }

  /** Gives up what is in flight there; late acks change nothing any more. */
  close(route: RouteState, now: number): void {
    const { path } = route;
    if (path === null) return;
    path.recovery.abandon(this.#options.lost);
    this.#live.delete(path.id);
    if (path === this.#server) return;
    count(this.#gone, path);
    this.#frozen.set(route.key, { congestion: path.congestion, at: now });
    if (this.#frozen.size > MAX_FROZEN) this.#frozen.delete(this.#frozen.keys().next().value ?? "");
  }

  #serverPath(route: RouteState, now: number): SendPath {
    this.#server ??= this.#make(SERVER_PATH, route, this.#options.congestion(), now);
    this.#server.revive(route);
    this.#live.set(SERVER_PATH, this.#server);
    return this.#server;
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
    return frozen !== undefined && now - frozen.at <= FROZEN_MS ? frozen.congestion : this.#options.congestion();
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
