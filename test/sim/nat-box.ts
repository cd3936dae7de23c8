import type { UdpAddress } from "../../src/wire/address.ts";
import type { Nat } from "./nat.ts";
import type { SimNetwork } from "./network.ts";

export interface Datagram {
  readonly from: UdpAddress;
  readonly to: UdpAddress;
  /** How many boxes may still take it. */
  readonly ttl: number;
  readonly bytes: Uint8Array;
}

/** What lies further out, and takes what is on its way there. */
export interface Outside {
  take(datagram: Datagram): void;
}

/** What lies further in, and is given what is for it. */
export interface Inside {
  give(datagram: Datagram): void;
}

/** A home's router or a carrier's box: one table, what lies inside, and the way out. */
export class NatBox implements Outside, Inside {
  readonly nat: Nat;
  readonly #network: SimNetwork;
  readonly #outside: Outside;
  readonly #inside = new Map<string, Inside>();

  constructor(network: SimNetwork, nat: Nat, outside: Outside) {
    this.#network = network;
    this.nat = nat;
    this.#outside = outside;
  }

  connect(ip: string, inside: Inside): void {
    this.#inside.set(ip, inside);
  }

  disconnect(ip: string): void {
    this.#inside.delete(ip);
  }

  take(datagram: Datagram): void {
    const { from, to, ttl } = datagram;
    if (ttl <= 1) return;
    if (this.nat.externalIps.includes(to.ip)) return this.#turn(datagram);
    const source = this.nat.outbound(this.#network.now, from, to);
    if (source !== null) this.#outside.take({ ...datagram, from: source, ttl: ttl - 1 });
  }

  give(datagram: Datagram): void {
    const inside = this.nat.inbound(this.#network.now, datagram.from, datagram.to);
    if (inside !== null) this.#pass({ ...datagram, to: inside });
  }

  /** For an address of its own, from inside. */
  #turn(datagram: Datagram): void {
    const { now } = this.#network;
    const inside = this.nat.hairpin(now, datagram.to);
    const source = inside === null ? null : this.nat.outbound(now, datagram.from, datagram.to);
    if (inside !== null && source !== null) this.#pass({ ...datagram, from: source, to: inside });
  }

  #pass(datagram: Datagram): void {
    const ttl = datagram.ttl - 1;
    if (ttl > 0) this.#inside.get(datagram.to.ip)?.give({ ...datagram, ttl });
  }
}
