import type { Datagram, Inside, Outside } from "./nat-box.ts";
import type { Link, LinkOptions } from "./link.ts";
import type { SimNetwork } from "./network.ts";

/** What does not pass the line of one side; `server` and `peers` both ways. */
export type Blocked = "all" | "in" | "out" | "server" | "peers";

/** What a datagram still needs to live when it comes here: the internet is far. */
const CORE_HOPS = 8;

/** What lies between all: it brings datagrams to whoever has the address. */
export class NatCore {
  readonly network: SimNetwork;
  /** Datagrams that died on their way. */
  diedPackets = 0;
  readonly #places = new Map<string, Inside>();
  readonly #servers = new Set<string>();

  constructor(network: SimNetwork) {
    this.network = network;
  }

  attach(ip: string, place: Inside): void {
    this.#places.set(ip, place);
  }

  detach(ip: string): void {
    this.#places.delete(ip);
  }

  attachServer(ip: string, place: Inside): void {
    this.attach(ip, place);
    this.#servers.add(ip);
  }

  isServer(ip: string): boolean {
    return this.#servers.has(ip);
  }

  route(datagram: Datagram): void {
    if (datagram.ttl < CORE_HOPS) this.diedPackets++;
    else this.#places.get(datagram.to.ip)?.give(datagram);
  }
}

/** The line of one side to the core: delay, loss and what else a link does, each way. */
export class Access implements Outside, Inside {
  readonly up: Link;
  readonly down: Link;
  readonly blocked = new Set<Blocked>();
  readonly #core: NatCore;
  #inside: Inside | null = null;

  constructor(core: NatCore, options: LinkOptions) {
    this.#core = core;
    this.up = core.network.link(options);
    this.down = core.network.link(options);
  }

  connect(inside: Inside): void {
    this.#inside = inside;
  }

  take(datagram: Datagram): void {
    if (!this.#isBlocked("out", datagram.to.ip)) this.#carry(this.up, datagram, () => this.#core.route(datagram));
  }

  give(datagram: Datagram): void {
    if (!this.#isBlocked("in", datagram.from.ip)) this.#carry(this.down, datagram, () => this.#inside?.give(datagram));
  }

  #carry(link: Link, { bytes }: Datagram, deliver: () => void): void {
    const { network } = this.#core;
    for (const at of link.arrivals(network.now, bytes.length)) network.at(at, deliver);
  }

  #isBlocked(way: "in" | "out", ip: string): boolean {
    const far = this.#core.isServer(ip) ? "server" : "peers";
    return this.blocked.has("all") || this.blocked.has(way) || this.blocked.has(far);
  }
}
