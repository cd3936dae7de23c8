import { addressKey, sameAddress, type UdpAddress } from "../../src/wire/address.ts";
import type { Seeded } from "./seeded.ts";

/** What a NAT or firewall does, in the words of RFC 4787. */
export interface NatOptions {
  /** §4.1; `none`: addresses stay as they are. */
  readonly mapping: "none" | "endpoint-independent" | "address-and-port-dependent";
  /** §5. */
  readonly filtering: "endpoint-independent" | "address-dependent" | "address-and-port-dependent";
  /** Which external port a mapping gets: the inside one, any of 5 000, any at all, the next, any of 512. */
  readonly ports?: "preserved" | "remapped" | "random" | "sequential" | "block";
  /** From one sequential port to the next. */
  readonly step?: number;
  /** How many external addresses it takes in turn, a destination each. */
  readonly pool?: number;
  /** It takes unasked datagrams for its own, and the port they came to is then taken as far as their sender is concerned. */
  readonly acceptsUnasked?: boolean;
  /** §6: what an inside host sends to an external address of another inside host arrives there, from outside by its looks. */
  readonly hairpins?: boolean;
  readonly blocksUdp?: boolean;
  /** How long a mapping lives behind the last datagram that left over it: at first, and once both ends have spoken for 2 s. Milliseconds. */
  readonly lifetimeMs?: { readonly unreplied: number; readonly replied: number };
}

/** As Linux has it. */
const LIFETIME_MS = { unreplied: 30_000, replied: 120_000 };
const REPLIED_AFTER_MS = 2_000;
const FIRST_PORT = 20_000;
/** From the ports of one start to those of the next, and what `remapped` takes them from. */
const PORTS_PER_START = 5_000;
const BLOCK_PORTS = 512;
const LOWEST_PORT = 1_024;
const HIGHEST_PORT = 65_535;

/** One inside address as the outside sees it; with address-and-port-dependent mapping it holds for one destination. */
interface Binding {
  readonly inside: UdpAddress;
  readonly external: UdpAddress;
  expiresAt: number;
  /** Whom it has sent to, and until when that counts. By address without port. */
  readonly sentTo: Map<string, number>;
}

/** Both directions between an external address and a remote one. */
interface Flow {
  /** Null where the NAT itself took an unasked datagram. */
  readonly inside: UdpAddress | null;
  readonly external: UdpAddress;
  readonly remote: UdpAddress;
  readonly createdAt: number;
  isReplied: boolean;
  expiresAt: number;
}

/** The table of one NAT or firewall: which source a datagram gets on its way out, which destination on its way in, and whether it passes. */
export class Nat {
  readonly options: NatOptions;
  /** Most flows there were at one time. */
  peakFlows = 0;
  readonly #random: Seeded;
  #externalIps: readonly string[];
  #starts = 0;
  #sequence = 0;
  readonly #poolTurns = new Map<string, number>();
  readonly #byInside = new Map<string, Flow>();
  readonly #byOutside = new Map<string, Flow>();
  /** Of endpoint-independent mapping, by inside and by external address. */
  readonly #bindings = new Map<string, Binding>();
  readonly #boundTo = new Map<string, Binding>();

  constructor(options: NatOptions, externalIps: readonly string[], random: Seeded) {
    this.options = options;
    this.#externalIps = externalIps;
    this.#random = random;
  }

  get externalIps(): readonly string[] {
    return this.#externalIps;
  }

  flowCount(now: number): number {
    this.#prune(now);
    return this.#byOutside.size;
  }

  /** @returns the source it leaves with; null when it does not leave */
  outbound(now: number, from: UdpAddress, to: UdpAddress): UdpAddress | null {
    if (this.options.blocksUdp === true) return null;
    const flow = this.#outFlow(now, from, to);
    const { unreplied, replied } = this.options.lifetimeMs ?? LIFETIME_MS;
    const isLasting = flow.isReplied && now >= flow.createdAt + REPLIED_AFTER_MS;
    flow.expiresAt = now + (isLasting ? replied : unreplied);
    const binding = this.#bindings.get(addressKey(from));
    if (binding !== undefined && sameAddress(binding.external, flow.external)) {
      binding.expiresAt = Math.max(binding.expiresAt, flow.expiresAt);
      binding.sentTo.set(to.ip, flow.expiresAt);
    }
    return flow.external;
  }

  /** @returns the inside address it goes to; null when it does not get in */
  inbound(now: number, from: UdpAddress, to: UdpAddress): UdpAddress | null {
    const flow = this.#live(this.#byOutside, now, flowKey(to, from));
    if (flow === null) return this.#unasked(now, from, to);
    if (flow.inside === null) flow.expiresAt = now + (this.options.lifetimeMs ?? LIFETIME_MS).unreplied;
    else flow.isReplied = true;
    return flow.inside;
  }

  /** @returns where an external address of ours leads when an inside host sends to it; null when nowhere */
  hairpin(now: number, to: UdpAddress): UdpAddress | null {
    return this.options.hairpins === true ? (this.#bindingOf(now, to)?.inside ?? null) : null;
  }

  /** It started anew: every mapping is forgotten. */
  flush(): void {
    for (const table of [this.#byInside, this.#byOutside, this.#bindings, this.#boundTo]) table.clear();
  }

  /** And has other ports from now on, none of them the inside one. */
  shiftPorts(): void {
    this.flush();
    this.#starts++;
    this.#sequence = 0;
  }

  /** And has other addresses. */
  renumber(externalIps: readonly string[]): void {
    this.flush();
    this.#externalIps = externalIps;
  }

  #outFlow(now: number, from: UdpAddress, to: UdpAddress): Flow {
    const known = this.#live(this.#byInside, now, flowKey(from, to));
    return known ?? this.#addFlow(now, from, this.#externalFor(now, from, to), to);
  }

  #addFlow(now: number, inside: UdpAddress | null, external: UdpAddress, remote: UdpAddress): Flow {
    const expiresAt = now + (this.options.lifetimeMs ?? LIFETIME_MS).unreplied;
    const flow: Flow = { inside, external, remote, createdAt: now, isReplied: false, expiresAt };
    if (inside !== null) this.#byInside.set(flowKey(inside, remote), flow);
    this.#byOutside.set(flowKey(external, remote), flow);
    if (this.#byOutside.size > this.peakFlows) this.peakFlows = Math.max(this.peakFlows, this.flowCount(now));
    return flow;
  }

  #externalFor(now: number, from: UdpAddress, to: UdpAddress): UdpAddress {
    const { mapping } = this.options;
    if (mapping === "none") return from;
    const isFree = (external: UdpAddress) => this.#live(this.#byOutside, now, flowKey(external, to)) === null;
    if (mapping === "address-and-port-dependent") return this.#pick(to, from.port, isFree);
    const { external } = this.#bind(now, from, to, isFree);
    // Taken where this destination is concerned: another port, for it alone.
    return isFree(external) ? external : this.#pickAny(external.ip, isFree);
  }

  /** The binding there is, or a new one whose port nobody else has. */
  #bind(now: number, inside: UdpAddress, to: UdpAddress, isFree: (external: UdpAddress) => boolean): Binding {
    const known = this.#bindings.get(addressKey(inside));
    if (known !== undefined && known.expiresAt > now) return known;
    if (known !== undefined) this.#boundTo.delete(addressKey(known.external));
    const isOurs = (address: UdpAddress) => this.#bindingOf(now, address) === null && isFree(address);
    const external = this.#pick(to, inside.port, isOurs);
    const binding: Binding = { inside, external, expiresAt: now, sentTo: new Map() };
    this.#bindings.set(addressKey(inside), binding);
    this.#boundTo.set(addressKey(external), binding);
    return binding;
  }

  #pick(to: UdpAddress, insidePort: number, isFree: (external: UdpAddress) => boolean): UdpAddress {
    const ip = this.#ipFor(to);
    const { ports = "preserved", step = 1 } = this.options;
    const first = FIRST_PORT + this.#starts * PORTS_PER_START;
    if (ports === "sequential") return { ip, port: first + ((this.#sequence++ * step) % PORTS_PER_START) };
    const preserved = { ip, port: insidePort };
    if (ports === "preserved" && this.#starts === 0 && isFree(preserved)) return preserved;
    if (ports === "random" || (ports === "preserved" && this.#starts === 0)) return this.#pickAny(ip, isFree);
    return this.#pickAny(ip, isFree, first, first + (ports === "block" ? BLOCK_PORTS : PORTS_PER_START) - 1);
  }

  #pickAny(ip: string, isFree: (external: UdpAddress) => boolean, low = LOWEST_PORT, high = HIGHEST_PORT): UdpAddress {
    for (let tries = 0; tries < 10_000; tries++) {
      const external = { ip, port: this.#random.between(low, high) };
      if (isFree(external)) return external;
    }
    throw new Error(`no port is left at ${ip}`);
  }

  #ipFor(to: UdpAddress): string {
    if (!this.#poolTurns.has(to.ip)) this.#poolTurns.set(to.ip, this.#poolTurns.size);
    return this.#externalIps[(this.#poolTurns.get(to.ip) ?? 0) % this.#externalIps.length] ?? to.ip;
  }

  #unasked(now: number, from: UdpAddress, to: UdpAddress): UdpAddress | null {
    const { mapping, filtering, acceptsUnasked = false } = this.options;
    if (mapping === "none") return filtering === "endpoint-independent" ? to : null;
    const binding = this.#bindingOf(now, to);
    if (binding !== null && this.#lets(now, binding, from)) {
      this.#addFlow(now, binding.inside, to, from).isReplied = true;
      return binding.inside;
    }
    if (acceptsUnasked) this.#addFlow(now, null, to, from);
    return null;
  }

  #lets(now: number, { sentTo }: Binding, from: UdpAddress): boolean {
    const { filtering } = this.options;
    if (filtering === "address-dependent") return (sentTo.get(from.ip) ?? 0) > now;
    return filtering === "endpoint-independent";
  }

  #bindingOf(now: number, external: UdpAddress): Binding | null {
    const binding = this.#boundTo.get(addressKey(external));
    return binding !== undefined && binding.expiresAt > now ? binding : null;
  }

  #live(table: ReadonlyMap<string, Flow>, now: number, key: string): Flow | null {
    const flow = table.get(key);
    if (flow === undefined) return null;
    if (flow.expiresAt > now) return flow;
    this.#remove(flow);
    return null;
  }

  #prune(now: number): void {
    for (const flow of this.#byOutside.values()) if (flow.expiresAt <= now) this.#remove(flow);
  }

  #remove(flow: Flow): void {
    this.#byOutside.delete(flowKey(flow.external, flow.remote));
    if (flow.inside !== null) this.#byInside.delete(flowKey(flow.inside, flow.remote));
  }
}

function flowKey(near: UdpAddress, remote: UdpAddress): string {
  return `${addressKey(near)} ${addressKey(remote)}`;
}
