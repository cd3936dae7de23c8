import { addressKey, type UdpAddress } from "../../src/wire/address.ts";
import type { Datagram, Inside, Outside } from "./nat-box.ts";
import type { SimNetwork } from "./network.ts";
import type { Seeded } from "./seeded.ts";

/** From one host to another of its network, or to the router. Milliseconds. */
const LAN_MS = 0.2;
export const USUAL_TTL = 64;
const LOWEST_PORT = 32_768;
const HIGHEST_PORT = 60_999;

/** A home network with 254 addresses and a way out. */
export class Lan {
  /** The first three numbers of its addresses. */
  readonly prefix: string;
  readonly gateway: Outside;
  readonly #hosts = new Map<string, Inside>();

  constructor(prefix: string, gateway: Outside) {
    this.prefix = prefix;
    this.gateway = gateway;
  }

  plug(ip: string, host: Inside): void {
    this.#hosts.set(ip, host);
  }

  unplug(ip: string): void {
    this.#hosts.delete(ip);
  }

  send(datagram: Datagram): void {
    if (datagram.to.ip.startsWith(`${this.prefix}.`)) this.#hosts.get(datagram.to.ip)?.give(datagram);
    else this.gateway.take(datagram);
  }
}

/** Called with what a socket hears. */
export type Hears = (bytes: Uint8Array, from: UdpAddress) => void;

/** What went to one address, and whether anything ever came from there. */
export interface Correspondence {
  sent: number;
  sentBytes: number;
  /** Since something came last. */
  unanswered: number;
  received: number;
}

/** A machine with UDP sockets, by numbers as a program knows them: never the same twice. */
export class NatHost implements Inside {
  readonly lan: Lan;
  /** By address and port. */
  readonly correspondence = new Map<string, Correspondence>();
  readonly #network: SimNetwork;
  readonly #random: Seeded;
  readonly #sockets = new Map<number, { readonly port: number; readonly hears: Hears }>();
  readonly #byPort = new Map<number, Hears>();
  #ip: string;
  #opened = 0;

  constructor(network: SimNetwork, lan: Lan, ip: string) {
    this.#network = network;
    this.#random = network.random.fork();
    this.lan = lan;
    this.#ip = ip;
    lan.plug(ip, this);
  }

  get ip(): string {
    return this.#ip;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Moves to another address of its network. */
  readdress(ip: string): void {
    this.lan.unplug(this.#ip);
    this.#ip = ip;
    this.lan.plug(ip, this);
  }

  /** @param port any free one when left out */
  open(hears: Hears, port = this.#freePort()): number {
    const socket = this.#opened++;
    this.#sockets.set(socket, { port, hears });
    this.#byPort.set(port, hears);
    return socket;
  }

  portOf(socket: number): number {
    return this.#sockets.get(socket)?.port ?? 0;
  }

  close(socket: number): void {
    this.#byPort.delete(this.portOf(socket));
    this.#sockets.delete(socket);
  }

  /** A copy of the bytes; nothing when the socket is closed. */
  send(socket: number, bytes: Uint8Array, to: UdpAddress, ttl = USUAL_TTL): void {
    const open = this.#sockets.get(socket);
    if (open === undefined) return;
    const about = this.#about(to);
    about.sent++;
    about.sentBytes += bytes.length;
    about.unanswered++;
    const datagram: Datagram = { from: { ip: this.#ip, port: open.port }, to, ttl, bytes: bytes.slice() };
    this.#network.in(LAN_MS, () => this.lan.send(datagram));
  }

  give({ from, to, bytes }: Datagram): void {
    const hears = this.#byPort.get(to.port);
    if (hears === undefined) return;
    const about = this.#about(from);
    about.received++;
    about.unanswered = 0;
    hears(bytes, from);
  }

  #about(remote: UdpAddress): Correspondence {
    const key = addressKey(remote);
    const known = this.correspondence.get(key);
    if (known !== undefined) return known;
    const about: Correspondence = { sent: 0, sentBytes: 0, unanswered: 0, received: 0 };
    this.correspondence.set(key, about);
    return about;
  }

  #freePort(): number {
    let port = this.#random.between(LOWEST_PORT, HIGHEST_PORT);
    while (this.#byPort.has(port)) port = this.#random.between(LOWEST_PORT, HIGHEST_PORT);
    return port;
  }
}
