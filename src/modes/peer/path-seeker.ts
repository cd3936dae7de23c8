import { addressKey, type UdpAddress } from "../../wire/address.ts";
import type { CarriedFrame, SessionEvent } from "../../wire/session/events.ts";
import type { Route } from "../../wire/session/route.ts";
import { candidateFromFields, candidateToFields } from "../../wire/traversal/candidate.ts";
import { Checks } from "../../wire/traversal/checks.ts";
import type { PathInfo } from "./peer-session.ts";
import type { Place } from "./place.ts";
import type { EndpointSocket } from "./udp-endpoint.ts";

export type RouteEvent = Extract<SessionEvent, { kind: "route-seen" | "route-validated" | "route-lost" }>;

export interface SeekerOptions {
  readonly sockets: readonly EndpointSocket[];
  readonly place: Place;
  /** host:port of the server, to name the path over it. */
  readonly server: string;
  /** Sends one challenge. */
  readonly probe: (route: Route, tier: number) => void;
}

/** Looks for direct paths of one session for as long as it lives: the checks with a timer, and words for what they find. */
export class PathSeeker {
  readonly #options: SeekerOptions;
  readonly #checks: Checks;
  #timer: Timer | undefined;
  #isStopped = false;
  #generation = 0;
  #place: Place;

  constructor(options: SeekerOptions) {
    this.#options = options;
    this.#place = options.place;
    this.#checks = new Checks(options.place.network);
    for (const socket of options.sockets) this.#checks.addLocal(performance.now(), socket);
  }

  /** What to tell the other end: where it may reach us on networks it shares with us. */
  announcement(): readonly CarriedFrame[] {
    const candidates = this.#options.sockets.flatMap(({ family, port }) =>
      this.#place.hostIps
        .filter((ip) => ip.includes(":") === (family === 6))
        .map((ip): CarriedFrame => ({ kind: "candidate", ...candidateToFields("host", { ip, port }) })),
    );
    return [...candidates, { kind: "candidatesEnd", generation: this.#generation++ }];
  }

  /** The other end told of an address of its own. */
  heard(frame: CarriedFrame): void {
    const candidate = frame.kind === "candidate" ? candidateFromFields(frame) : null;
    if (candidate === null) return;
    this.#checks.addRemote(performance.now(), candidate);
    this.#pump();
  }

  /** The server told where it sees the other end. */
  attested(addresses: readonly UdpAddress[]): void {
    this.#checks.attested(performance.now(), addresses);
    this.#pump();
  }

  routeEvent({ kind, route }: RouteEvent): void {
    if (route.kind === "server") return;
    const { socket, remote } = route;
    if (kind === "route-seen") this.#checks.seen(performance.now(), socket, remote);
    else if (kind === "route-validated") this.#checks.validated(performance.now(), socket, remote);
    else this.#checks.lost(performance.now(), socket, remote);
    this.#pump();
  }

  /** This machine is on another network. */
  moved(place: Place): void {
    this.#place = place;
    this.#checks.setOwn(performance.now(), place.network);
    this.#checks.restart(performance.now());
    this.#pump();
  }

  /** What a person reads of a path. */
  describe(route: Route, rttMs: number, why: string): PathInfo {
    if (route.kind === "server") return { kind: "relay-ws", remote: this.#options.server, rttMs, why };
    const kind = this.#checks.kindOf(route.socket, route.remote) ?? "direct";
    return { kind, remote: addressKey(route.remote), rttMs, why };
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #pump(): void {
    if (this.#isStopped) return;
    const now = performance.now();
    for (let probe = this.#checks.pollProbe(now); probe !== null; probe = this.#checks.pollProbe(now)) {
      const { socket, remote, tier } = probe;
      this.#options.probe({ kind: "udp", socket, remote }, tier);
    }
    clearTimeout(this.#timer);
    const at = this.#checks.pollTimeout();
    if (at !== null) this.#timer = setTimeout(() => this.#pump(), Math.max(0, at - now));
  }
}
