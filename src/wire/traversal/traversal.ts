import { familyOf, scopeOf, type UdpAddress } from "../address.ts";
import type { Random } from "../core.ts";
import type { Frame } from "../messages/session.ts";
import { type AnnouncedType, candidateFromFields, candidateToFields } from "./candidate.ts";
import type { LocalSocket } from "./check-list.ts";
import { Checks, type Probe } from "./checks.ts";
import { type Mapping, mappingFromFields, mappingToFields, unknownMapping } from "./mapping.ts";
import type { DirectKind, OwnNetwork } from "./permit.ts";
import { Puncher, type SocketEvent } from "./puncher.ts";
import type { SearchTurn } from "./search-turn.ts";

export type TraversalFrame = Extract<Frame, { kind: "candidate" | "candidatesEnd" | "mapping" | "seekMe" }>;

export type TraversalEvent =
  /** To be carried to the other end. */
  { readonly kind: "say"; readonly frame: TraversalFrame } | SocketEvent;

export interface TraversalOptions {
  readonly own: OwnNetwork;
  readonly random: Random;
  /** Of the whole process. */
  readonly turn: SearchTurn;
}

/** New sockets that stay open because the other end was heard there, besides those over which a path was found. */
const MAX_KEPT = 4;

/** An address of ours that the other end may try. */
export interface OwnCandidate {
  readonly type: AnnouncedType;
  readonly address: UdpAddress;
}

/**
 * How one session looks for direct paths, from what the two ends tell each other and the server tells both: plain checks, and where NATs
 * stand in their way, searches for ports. It seals and sends nothing and opens no socket: after each call drain `pollEvent` and
 * `pollProbe`, then ask `pollTimeout` when to come back.
 */
export class Traversal {
  readonly #checks: Checks;
  readonly #puncher: Puncher;
  readonly #events: TraversalEvent[] = [];
  #mapping: Mapping = unknownMapping;
  #generation = 0;
  /** New sockets over which the other end was heard. */
  readonly #kept = new Set<number>();
  readonly #main = new Set<number>();

  constructor({ own, random, turn }: TraversalOptions) {
    this.#checks = new Checks(own);
    this.#puncher = new Puncher({ random, turn });
  }

  addLocal(now: number, local: LocalSocket): void {
    this.#main.add(local.socket);
    if (local.family === 4) this.#puncher.setMain(local.socket);
    this.#checks.addLocal(now, local);
  }

  /** How our NAT maps IPv4, and where the server sees our IPv4 socket. */
  setOwnMapping(mapping: Mapping, seenAt: UdpAddress | null): void {
    this.#puncher.setOwn(mapping, seenAt);
    if (mapping.kind === this.#mapping.kind && mapping.step === this.#mapping.step) return;
    this.#mapping = mapping;
    this.#say({ kind: "mapping", ...mappingToFields(mapping) });
  }

  /** Tells the other end of our addresses. It takes it for a sign that our NATs are open towards what we know of it. */
  announce(candidates: readonly OwnCandidate[]): void {
    this.tell(candidates);
    this.#say({ kind: "candidatesEnd", generation: this.#generation++ });
  }

  /** Tells the other end of further addresses of ours. */
  tell(candidates: readonly OwnCandidate[]): void {
    for (const { type, address } of candidates) this.#say({ kind: "candidate", ...candidateToFields(type, address) });
  }

  /** What the other end says. */
  heard(now: number, frame: TraversalFrame): void {
    const candidate = frame.kind === "candidate" ? candidateFromFields(frame) : null;
    if (candidate !== null) this.#checks.addRemote(now, candidate);
    else if (frame.kind === "candidatesEnd") this.#go(now);
    else if (frame.kind === "mapping") this.#puncher.setTheirs(mappingFromFields(frame));
    else if (frame.kind === "seekMe") this.#puncher.heard(now, frame, (ip) => this.#checks.isAttested(ip));
  }

  /** Where the server sees the other end: all of it each time. */
  attested(now: number, addresses: readonly UdpAddress[]): void {
    this.#checks.attested(now, addresses);
    const target = addresses.findLast(({ ip }) => familyOf(ip) === 4 && scopeOf(ip) === "public");
    if (target !== undefined) this.#puncher.setTarget(now, target);
  }

  /** A packet of the other end was opened that came this way, which is no path yet. */
  seen(now: number, socket: number, remote: UdpAddress): void {
    if (this.#kept.size < MAX_KEPT) this.#keep(socket);
    this.#checks.seen(now, socket, remote);
  }

  /** A challenge was answered. */
  validated(now: number, socket: number, remote: UdpAddress): void {
    this.#checks.validated(now, socket, remote);
    this.#keep(socket);
    this.#puncher.found(now, this.#kept);
  }

  /** The path died. */
  lost(now: number, socket: number, remote: UdpAddress): void {
    this.#checks.lost(now, socket, remote);
    if (this.#kept.delete(socket)) this.#close([socket]);
    if (!this.#checks.hasPath) this.#puncher.begin(now);
  }

  /** What is known of this end has become clearer. */
  setOwn(now: number, own: OwnNetwork): void {
    this.#checks.setOwn(now, own);
  }

  /** This end is on another network. */
  restart(now: number, own: OwnNetwork): void {
    this.#checks.setOwn(now, own);
    this.#checks.restart(now);
    this.#puncher.renew(now);
    this.#puncher.begin(now);
  }

  /** The session is over. */
  stop(): void {
    this.#puncher.stop();
  }

  /** @param addresses where the server sees the surveyed ones; null without an answer */
  socketsOpened(now: number, sockets: readonly number[], addresses: readonly (UdpAddress | null)[]): void {
    this.#puncher.socketsOpened(now, sockets, addresses);
  }

  /** What a path there is called; null for one that must not be used. */
  kindOf(socket: number, remote: UdpAddress): DirectKind | null {
    return this.#checks.kindOf(socket, remote);
  }

  pollEvent(): TraversalEvent | null {
    const event = this.#events.shift() ?? this.#puncher.pollEvent();
    if (event?.kind === "sockets-unwanted") for (const socket of event.sockets) this.#checks.removeSocket(socket);
    return event;
  }

  /** @returns the next challenge that is due */
  pollProbe(now: number): Probe | null {
    return this.#checks.pollProbe(now) ?? this.#puncher.pollProbe(now);
  }

  /** The next time {@link pollProbe} may have something; null for never. */
  pollTimeout(): number | null {
    const at = Math.min(this.#checks.pollTimeout() ?? Infinity, this.#puncher.dueAt);
    return at === Infinity ? null : at;
  }

  /** Where two new sockets are found at once the other end may choose the one that we do not. */
  #keep(socket: number): void {
    if (!this.#main.has(socket)) this.#kept.add(socket);
  }

  #go(now: number): void {
    this.#checks.go(now);
    if (!this.#checks.hasPath) this.#puncher.begin(now);
  }

  #say(frame: TraversalFrame): void {
    this.#events.push({ kind: "say", frame });
  }

  #close(sockets: readonly number[]): void {
    this.#events.push({ kind: "sockets-unwanted", sockets });
  }
}
