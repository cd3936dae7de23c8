import { sameAddress, type UdpAddress } from "../../wire/address.ts";
import type { CarriedFrame, SessionEvent } from "../../wire/session/events.ts";
import { pathIdAt } from "../../wire/packet/header.ts";
import { CHECKS_PATH } from "../../wire/session/path-id.ts";
import { RELAY_ROUTE, type Route, routeKey, type UdpRoute } from "../../wire/session/route.ts";
import { RELAY_TIER } from "../../wire/session/route-state.ts";
import type { SocketRoute } from "../../wire/traversal/inquiry.ts";
import { hiddenStanding } from "../../wire/traversal/standing.ts";
import type { Standing } from "../../wire/traversal/verdict.ts";
import { DirectGuard } from "./direct-guard.ts";
import { PathOutlook } from "./path-outlook.ts";
import type { Reason } from "./path-reasons.ts";
import { PathSeeker, type RouteEvent } from "./path-seeker.ts";
import type { PathInfo } from "./peer-session.ts";
import type { Place } from "./place.ts";
import type { ServerRoute } from "./server-route.ts";
import { isRelayed, SessionPath } from "./session-path.ts";
import type { UdpEndpoint } from "./udp-endpoint.ts";
import { UdpRelay } from "./udp-relay.ts";

export interface RoutesOptions {
  readonly endpoint: UdpEndpoint;
  /** Through the server's TCP. */
  readonly viaServer: ServerRoute;
  /** host:port, for the path shown while the server carries the session. */
  readonly server: string;
  /** How long it may be without a direct path, when no user data may go over the server; null when it may. Milliseconds. */
  readonly directWithinMs: number | null;
  /** Our own addresses, to tell and to keep away from; null where none may be told or used. */
  readonly place: Place | null;
  /** How this end's network stands, as far as is known by now. */
  readonly standing: () => Standing;
  readonly onFault: (error: unknown) => void;
  /** A direct path has fallen silent: the line to the server may be dead as well. May not throw. */
  readonly onDoubt: () => void;
}

/** What the ways of a session need of its core. */
export interface RoutesCore {
  /** Sends one challenge. */
  probe(route: Route, tier: number): void;
  /** Nothing goes there any more. */
  forget(route: Route): void;
  /** Has a frame carried to the other end. */
  say(frame: CarriedFrame): void;
  /** Our NAT shows this socket at another address than before. */
  addressChanged(socket: number): void;
  /** Whether the server's TCP carries files by now. */
  widen(isWide: boolean): void;
  /** These receiver indexes of ours are another's at the relay. */
  discard(indexes: readonly number[]): void;
  /** No direct path came in time where there has to be one. */
  giveUp(): void;
}

const NOWHERE: Place = { hostIps: [], mapped: [], network: { subnets: [], addresses: [], servers: [] } };

/** All the ways on which one session's packets go: looks for them, opens and closes them, and knows which one is in use and why. */
export class SessionRoutes {
  readonly #options: RoutesOptions;
  readonly #seeker: PathSeeker;
  /** Null where user data may not go over the server. */
  readonly #relay: UdpRelay | null;
  /** Where nothing may go over the server. */
  readonly #guard: DirectGuard | null;
  readonly #path: SessionPath;
  readonly #outlook: PathOutlook;
  readonly #forgetMapping: () => void;
  /** Key of the route that carries the session. */
  #selected = "";
  /** Where the server saw our IPv4 socket last. */
  #seenAt: UdpAddress | null;

  constructor(options: RoutesOptions, core: RoutesCore) {
    const { endpoint, place, server, standing, directWithinMs, onFault } = options;
    this.#options = options;
    this.#path = new SessionPath(server);
    this.#outlook = new PathOutlook({
      own: place === null ? () => hiddenStanding : standing,
      onReason: (reason) => this.#path.explained(reason),
    });
    this.#seenAt = endpoint.seenAt;
    this.#forgetMapping = endpoint.onMapping(() => this.#learnMapping(core));
    this.#seeker = new PathSeeker({
      endpoint: place === null ? null : endpoint,
      place: place ?? NOWHERE,
      server,
      probe: (route, tier) => core.probe(route, tier),
      say: (frame) => core.say(frame),
      onFault,
    });
    this.#relay = directWithinMs === null ? this.#relayed(core) : null;
    this.#guard = directWithinMs === null ? null : new DirectGuard(directWithinMs, () => core.giveUp());
    options.viaServer.onWide((isWide) => core.widen(isWide));
  }

  get path(): PathInfo {
    return this.#path.now;
  }

  /** Why no direct path carries the session; null while there is one, and while one is looked for. */
  get relayedBecause(): Reason | null {
    return this.#path.reason;
  }

  onPath(handler: (path: PathInfo) => void): void {
    this.#path.onChange(handler);
  }

  /** Looks for them from now on. */
  begin(): void {
    void this.#relay?.open();
    if (this.#options.place !== null) this.#seeker.announce();
  }

  /** Resolves when user data can go. @throws UserError `no-path` where it may go on a direct path alone and none comes up in time */
  async ready(peer: string): Promise<void> {
    if (this.#guard !== null && !(await this.#guard.firstPath))
      throw this.#guard.failure(peer, this.#outlook.reasonByNow);
  }

  /** @returns false when there is no room for more */
  send(bytes: Uint8Array, to: Route, segmentBytes: number): boolean {
    if (to.kind === "udp") return this.#sendDirect(bytes, to, segmentBytes);
    if (to.kind === "relay") return this.#relay?.send(bytes, segmentBytes) ?? true;
    for (let at = 0; at < bytes.length; at += segmentBytes)
      this.#options.viaServer.send(bytes.subarray(at, at + segmentBytes));
    return true;
  }

  /** Which way packets came; null for those that we must not answer, since that would show an address of ours. */
  cameBy(from: SocketRoute, packets: Uint8Array): Route | null {
    if (this.#relay?.owns(from) === true) {
      this.cameByServer(packets);
      return RELAY_ROUTE;
    }
    return this.#options.place === null ? null : { kind: "udp", ...from };
  }

  /** Packets came over the server, by whichever of its ways. */
  cameByServer(packets: Uint8Array): void {
    if (pathIdAt(packets, 0) !== CHECKS_PATH) this.#relay?.used();
  }

  /** Receiver indexes by which packets of this session are told. */
  setIndexes(indexes: readonly number[]): void {
    this.#relay?.setIndexes(indexes);
  }

  routeEvent(event: RouteEvent): void {
    if (event.kind === "route-lost" && routeKey(event.route) === this.#selected) this.#guard?.lost();
    if (event.route.kind === "relay") this.#relay?.routeEvent(event);
    else this.#seeker.routeEvent(event);
  }

  selected({ route, rttMs, why }: SessionEvent & { kind: "path-selected" }): void {
    this.#selected = routeKey(route);
    if (this.#path.now.kind === "relay-udp" && route.kind === "server") this.#relay?.doubt();
    const path = this.#seeker.describe(route, rttMs ?? 0, why);
    const isDirect = !isRelayed(path);
    if (!isDirect && !this.#path.isRelayed) this.#doubt();
    this.#guard?.moved(path);
    this.#outlook.moved(isDirect);
    this.#relay?.carried(isDirect);
    this.#path.moved(path);
  }

  /** What the other end says of itself. */
  heard(frame: CarriedFrame): void {
    this.#outlook.heard(frame);
    this.#seeker.heard(frame);
  }

  /** The line to the server is there again. */
  serverBack(): void {
    void this.#relay?.open();
  }

  /** The server has lost the other end. */
  away(): void {
    this.#outlook.away(true);
  }

  /** The server slows down what we send over it. */
  relayLimited(bytesPerSecond: number): void {
    this.#path.relayLimited(bytesPerSecond);
  }

  /** This machine is on another network: what was found on the old one may hold no more. */
  moved(place: Place): void {
    this.#relay?.moved();
    if (this.#options.place === null) return;
    this.#seeker.moved(place);
    this.#outlook.restart();
    this.#seeker.announce();
  }

  /** Gateways let others reach us at other addresses now. */
  portsMapped(place: Place): void {
    if (this.#options.place === null) return;
    this.#seeker.mapped(place);
    this.#outlook.review();
  }

  /** Where the server sees the other end. */
  observed(addresses: readonly UdpAddress[]): void {
    this.#seeker.attested(addresses);
    this.#outlook.attested(addresses);
    this.#outlook.away(false);
  }

  stop(): void {
    this.#seeker.stop();
    this.#outlook.stop();
    this.#guard?.stop();
    this.#forgetMapping();
    this.#relay?.close();
    this.#options.viaServer.close();
  }

  #learnMapping(core: RoutesCore): void {
    const { seenAt, sockets } = this.#options.endpoint;
    const socket = sockets.find(({ family }) => family === 4)?.socket;
    const hasChanged = seenAt !== null && this.#seenAt !== null && !sameAddress(seenAt, this.#seenAt);
    this.#seenAt = seenAt ?? this.#seenAt;
    if (hasChanged && socket !== undefined) core.addressChanged(socket);
    this.#outlook.review();
  }

  #relayed(core: RoutesCore): UdpRelay {
    const { endpoint, viaServer, onFault } = this.#options;
    return new UdpRelay({
      endpoint,
      ask: () => viaServer.leg(),
      probe: () => core.probe(RELAY_ROUTE, RELAY_TIER),
      forget: () => core.forget(RELAY_ROUTE),
      onRefused: (indexes) => core.discard(indexes),
      onFault,
    });
  }

  #sendDirect(bytes: Uint8Array, to: UdpRoute, segmentBytes: number): boolean {
    const { endpoint } = this.#options;
    if (to.hopLimit === undefined) return endpoint.send(bytes, to, segmentBytes);
    endpoint.sendWithin(to.hopLimit, bytes, to);
    return true;
  }

  /** Our NAT may have given us other addresses, and with them ended more than this path. */
  #doubt(): void {
    this.#options.endpoint.refresh();
    this.#options.onDoubt();
  }
}
