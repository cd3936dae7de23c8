import { addressKey, familyOf, sameAddress, type UdpAddress } from "../../wire/address.ts";
import type { CarriedFrame, SessionEvent } from "../../wire/session/events.ts";
import type { Route } from "../../wire/session/route.ts";
import type { Probe } from "../../wire/traversal/checks.ts";
import type { OwnNetwork } from "../../wire/traversal/permit.ts";
import { SearchTurn } from "../../wire/traversal/search-turn.ts";
import { type OwnCandidate, Traversal, type TraversalEvent } from "../../wire/traversal/traversal.ts";
import { systemRandom } from "./own-device.ts";
import type { PathInfo } from "./peer-session.ts";
import type { Place } from "./place.ts";
import type { UdpEndpoint } from "./udp-endpoint.ts";

export type RouteEvent = Extract<SessionEvent, { kind: "route-seen" | "route-validated" | "route-lost" }>;

export interface SeekerOptions {
  /** Null where none of our addresses may be shown or used. */
  readonly endpoint: UdpEndpoint | null;
  readonly place: Place;
  /** host:port of the server, to name the path over it. */
  readonly server: string;
  /** Sends one challenge. */
  readonly probe: (route: Route, tier: number) => void;
  /** Has the session carry a frame to the other end. */
  readonly say: (frame: CarriedFrame) => void;
  /** A defect of ours. */
  readonly onFault: (error: unknown) => void;
}

/** Of this program. */
const searchTurn = new SearchTurn();

/** Looks for direct paths of one session for as long as it lives: gives the traversal a timer, sockets, and words for what it finds. */
export class PathSeeker {
  readonly #options: SeekerOptions;
  readonly #traversal: Traversal;
  /** Opened for this session, besides the program's own. */
  readonly #spares = new Set<number>();
  readonly #forgetMapping: () => void;
  #timer: Timer | undefined;
  #isStopped = false;
  #place: Place;

  constructor(options: SeekerOptions) {
    const { endpoint, place } = options;
    this.#options = options;
    this.#place = place;
    this.#traversal = new Traversal({ own: place.network, random: systemRandom, turn: searchTurn });
    for (const socket of endpoint?.sockets ?? []) this.#traversal.addLocal(performance.now(), socket);
    this.#forgetMapping = endpoint?.onMapping(() => this.#learnMapping()) ?? (() => undefined);
  }

  /** Tells the other end where it may reach us on networks it shares with us, and how our NAT is. */
  announce(): void {
    this.#learnMapping();
    this.#traversal.announce(this.#candidates());
    this.#pump();
  }

  /** The other end told of itself. */
  heard(frame: CarriedFrame): void {
    if (frame.kind === "abilities" || frame.kind === "report") return;
    this.#traversal.heard(performance.now(), frame);
    this.#pump();
  }

  /** The server told where it sees the other end. */
  attested(addresses: readonly UdpAddress[]): void {
    this.#traversal.attested(performance.now(), addresses);
    this.#pump();
  }

  routeEvent({ kind, route }: RouteEvent): void {
    if (route.kind !== "udp") return;
    const { socket, remote } = route;
    if (kind === "route-seen") this.#traversal.seen(performance.now(), socket, remote);
    else if (kind === "route-validated") this.#traversal.validated(performance.now(), socket, remote);
    else this.#traversal.lost(performance.now(), socket, remote);
    this.#pump();
  }

  /** This machine is on another network. */
  moved(place: Place): void {
    this.#place = place;
    this.#traversal.restart(performance.now(), this.#ownNetwork());
    this.#pump();
  }

  /** Gateways let others reach us at other addresses now. */
  mapped(place: Place): void {
    const told = this.#candidates();
    this.#place = place;
    this.#traversal.setOwn(performance.now(), this.#ownNetwork());
    const isNew = ({ address }: OwnCandidate) => !told.some((each) => sameAddress(each.address, address));
    this.#traversal.tell(this.#candidates().filter(isNew));
    this.#pump();
  }

  /** What a person reads of a path. */
  describe(route: Route, rttMs: number, why: string): PathInfo {
    if (route.kind !== "udp")
      return { kind: route.kind === "relay" ? "relay-udp" : "relay-ws", remote: this.#options.server, rttMs, why };
    const kind = this.#traversal.kindOf(route.socket, route.remote) ?? "direct";
    return { kind, remote: addressKey(route.remote), rttMs, why };
  }

  stop(): void {
    this.#isStopped = true;
    this.#traversal.stop();
    clearTimeout(this.#timer);
    this.#forgetMapping();
    this.#close([...this.#spares]);
  }

  /** A gateway that only opens its firewall leaves the address as it is. */
  #candidates(): readonly OwnCandidate[] {
    const hosts = (this.#options.endpoint?.sockets ?? []).flatMap(({ family, port }) =>
      this.#place.hostIps
        .filter((ip) => familyOf(ip) === family)
        .map((ip): OwnCandidate => ({ type: "host", address: { ip, port } })),
    );
    const mapped = this.#place.mapped.map((address): OwnCandidate => ({ type: "port-mapped", address }));
    return [...hosts, ...mapped.filter(({ address }) => !hosts.some((host) => sameAddress(host.address, address)))];
  }

  /** With where the server sees us by now: nobody is to have us check ourselves. */
  #ownNetwork(): OwnNetwork {
    const { network } = this.#place;
    const seen = this.#options.endpoint?.reflexive ?? [];
    return { ...network, addresses: [...network.addresses, ...seen] };
  }

  #learnMapping(): void {
    const { endpoint } = this.#options;
    if (endpoint === null) return;
    this.#traversal.setOwnMapping(endpoint.mapping, endpoint.seenAt);
    this.#traversal.setOwn(performance.now(), this.#ownNetwork());
    this.#pump();
  }

  /** What the other end says leads here too, by a timer of our own: a throw must end nothing. */
  #pump(): void {
    try {
      this.#run();
    } catch (error) {
      this.#options.onFault(error);
    }
  }

  #run(): void {
    if (this.#isStopped) return;
    const now = performance.now();
    for (let probe = this.#traversal.pollProbe(now); probe !== null; probe = this.#traversal.pollProbe(now))
      this.#probe(probe);
    for (let event = this.#traversal.pollEvent(); event !== null; event = this.#traversal.pollEvent())
      this.#handle(event);
    clearTimeout(this.#timer);
    const at = this.#traversal.pollTimeout();
    if (at !== null) this.#timer = setTimeout(() => this.#pump(), Math.max(0, at - now));
  }

  #probe({ socket, remote, tier, hopLimit }: Probe): void {
    this.#options.probe({ kind: "udp", socket, remote, ...(hopLimit !== null && { hopLimit }) }, tier);
  }

  #handle(event: TraversalEvent): void {
    if (event.kind === "say") this.#options.say(event.frame);
    else if (event.kind === "sockets-unwanted") this.#close(event.sockets);
    else void this.#openSpares(event.sockets, event.surveyed);
  }

  /** Never rejects. */
  async #openSpares(count: number, surveyed: number): Promise<void> {
    const { endpoint } = this.#options;
    const sockets = (await endpoint?.openSpares(count)) ?? [];
    for (const socket of sockets) this.#spares.add(socket);
    const addresses = this.#isStopped ? [] : ((await endpoint?.survey(sockets.slice(0, surveyed))) ?? []);
    if (this.#isStopped) return this.#close(sockets);
    this.#traversal.socketsOpened(performance.now(), sockets, addresses);
    this.#pump();
  }

  #close(sockets: readonly number[]): void {
    this.#options.endpoint?.closeSpares(sockets);
    for (const socket of sockets) this.#spares.delete(socket);
  }
}
