import { familyOf, scopeOf, type UdpAddress } from "../../address.ts";
import type { Core, Random, Transmit } from "../../core.ts";
import { Home, type HomeReport } from "./home.ts";
import type { GatewayReply, GatewayRequest } from "./soap.ts";

/** One of this machine's addresses, and the gateway behind which it lies. */
export interface OwnGateway {
  readonly ownIp: string;
  /** Link-local ones of IPv6 with the zone that the system needs to send there. */
  readonly gatewayIp: string;
  /** Of the socket that is to be reached from outside. */
  readonly internalPort: number;
}

/** Which of this machine's addresses a datagram leaves from or came to; `remote` has a zone where the system needs one. */
export interface GatewayRoute {
  readonly ownIp: string;
  readonly remote: UdpAddress;
}

/** An address that reaches one of our sockets because a gateway maps it. */
export interface PortMapping {
  readonly ownIp: string;
  readonly internalPort: number;
  readonly external: UdpAddress;
}

export type PortMapperEvent =
  /** To be asked by HTTP, straight and without following redirects; then {@link PortMapper.handleReply}. */
  | { readonly kind: "request"; readonly id: number; readonly request: GatewayRequest }
  /** {@link PortMapper.mappings} or {@link PortMapper.reports} say something else now. */
  | { readonly kind: "changed" }
  /** All is given back that could be, after {@link PortMapper.stop}. */
  | { readonly kind: "ended" };

const MAX_KNOWN = 8;
/** A program that starts is busy, and its timers are late. Milliseconds. */
const LATE_MS = 50;
const READ_FIRST_MS = 20;
/** No gateway restarts sooner again: one whose time runs backwards in every answer is not asked in a circle. Milliseconds. */
const RESTART_GAP_MS = 10_000;

/**
 * Asks the gateways of this machine to let others reach its sockets, by PCP, NAT-PMP and UPnP at once, and keeps what they grant for as long
 * as it is wanted. PROTOCOL.md §10.8.
 */
export class PortMapper implements Core<PortMapperEvent, GatewayRoute> {
  readonly #random: Random;
  readonly #events: PortMapperEvent[] = [];
  readonly #requests = new Map<number, Home>();
  #homes: readonly Home[] = [];
  /** These and earlier ones: a gateway may remember the one who comes back. */
  #known: readonly Home[] = [];
  /** No gateway of theirs is wanted any more: what they hold is being given back, or was. */
  #leaving: readonly Home[] = [];
  #told = "";
  #asked = 0;
  #isStopping = false;
  /** Nothing is asked again and nobody given up before that. */
  #patientUntil = -Infinity;
  #restartedAt = -Infinity;

  constructor(options: { readonly random: Random }) {
    this.#random = options.random;
  }

  get mappings(): readonly PortMapping[] {
    return this.#homes.flatMap((home) => home.mapping ?? []);
  }

  get reports(): readonly HomeReport[] {
    return this.#homes.map((home) => home.report);
  }

  /**
   * All is asked anew: at first, when the network is another one, and when a gateway may have restarted.
   * @param ownIps from where datagrams can leave: what was mapped for one of these, and is not wanted any more, is given back
   */
  start(now: number, gateways: readonly OwnGateway[], ownIps: readonly string[] = []): void {
    this.#homes = gateways.map(
      (gateway) => this.#known.find((home) => home.isFor(gateway)) ?? new Home(gateway, this.#random),
    );
    this.#known = [...new Set([...this.#homes, ...this.#known])].slice(0, MAX_KNOWN);
    this.#leave(now, ownIps);
    for (const home of this.#homes) home.start(now);
    this.#review();
  }

  /** Gives all back. */
  stop(now: number): void {
    this.#isStopping = true;
    for (const home of this.#homes) home.release(now);
    this.#review();
  }

  handleDatagram(now: number, datagram: Uint8Array, { ownIp, remote }: GatewayRoute): void {
    const home = this.#running.find((each) => each.hears(ownIp, remote));
    if (home === undefined) return;
    const hasForgotten = home.handleDatagram(now, datagram, remote);
    if (hasForgotten && this.#homes.includes(home)) this.#restartAllBut(now, home);
    this.#review();
  }

  /** @param reply null when nothing came back in time, or not what HTTP is */
  handleReply(now: number, id: number, reply: GatewayReply | null): void {
    this.#requests.get(id)?.handleReply(now, reply);
    this.#requests.delete(id);
    this.#review();
  }

  handleTimeout(now: number): void {
    if (this.#wasHeldUp(now)) return;
    for (const home of this.#running) home.handleTimeout(now);
    this.#review();
  }

  pollEvent(): PortMapperEvent | null {
    const event = this.#events.shift();
    if (event !== undefined || !this.#isStopping || this.#running.some((home) => !home.isReleased))
      return event ?? null;
    this.#isStopping = false;
    this.#homes = this.#leaving = [];
    return { kind: "ended" };
  }

  pollTransmit(now: number): Transmit<GatewayRoute> | null {
    if (now < this.#patientUntil) return null;
    for (const home of this.#running) {
      const out = home.poll(now);
      if (out !== null) return { to: out.to, bytes: out.bytes, segmentBytes: out.bytes.length };
    }
    return null;
  }

  pollTimeout(): number | null {
    const at = Math.min(...this.#running.map((home) => home.dueAt));
    return at === Infinity ? null : Math.max(at, this.#patientUntil);
  }

  get #running(): readonly Home[] {
    return [...this.#homes, ...this.#leaving];
  }

  /** What one gateway has forgotten for one address it has forgotten for all. */
  #restartAllBut(now: number, home: Home): void {
    if (this.#isStopping || now - this.#restartedAt < RESTART_GAP_MS) return;
    this.#restartedAt = now;
    for (const each of this.#homes) if (each !== home) each.start(now);
  }

  /** Who comes back to an address that was gone meanwhile is told again. */
  #leave(now: number, ownIps: readonly string[]): void {
    const leaving = this.#known.filter((home) => !this.#homes.includes(home) && ownIps.includes(home.ownIp));
    for (const home of leaving) if (!this.#leaving.includes(home)) home.release(now);
    this.#leaving = leaving;
  }

  /** So late that answers may have come meanwhile: they are read first. Once, or a machine that is always late would wait for ever. */
  #wasHeldUp(now: number): boolean {
    const at = this.pollTimeout();
    if (at === null || now - at < LATE_MS || at === this.#patientUntil) return false;
    this.#patientUntil = now + READ_FIRST_MS;
    return true;
  }

  /** After anything may have changed. */
  #review(): void {
    for (const home of this.#running) {
      for (let request = home.pollRequest(); request !== null; request = home.pollRequest()) {
        const id = this.#asked++;
        this.#requests.set(id, home);
        this.#events.push({ kind: "request", id, request });
      }
    }
    const now = JSON.stringify(this.reports);
    if (now !== this.#told) this.#events.push({ kind: "changed" });
    this.#told = now;
  }
}

/** Whether anything is to be gained there: a public IPv4 address is nobody's mapping, and an IPv6 one can only have a firewall before it. */
export function isWorthMapping(ownIp: string): boolean {
  const scope = scopeOf(ownIp);
  return familyOf(ownIp) === 6 ? scope === "public" : scope === "private" || scope === "shared";
}
