import type { UdpAddress } from "../../src/wire/address.ts";
import type { Member } from "../../src/modes/server/members.ts";
import { packetType, typeAt } from "../../src/wire/packet/header.ts";
import { Gatherer, type GatherEvent } from "../../src/wire/traversal/gather.ts";
import type { SocketRoute } from "../../src/wire/traversal/inquiry.ts";
import { type Mapping, unknownMapping } from "../../src/wire/traversal/mapping.ts";
import type { OwnNetwork } from "../../src/wire/traversal/permit.ts";
import { SearchTurn } from "../../src/wire/traversal/search-turn.ts";
import type { NatServer } from "./nat-server.ts";
import type { NatSide } from "./nat-world.ts";
import type { SimHost, SimNetwork } from "./network.ts";

/** A person's program on a host: its UDP sockets, and the server's eye on them. */
export class NatProgram implements SimHost {
  readonly side: NatSide;
  readonly member: Member;
  /** The one that peers are told of. */
  readonly socket: number;
  mapping: Mapping = unknownMapping;
  /** Called with every sealed packet. */
  onPacket: (bytes: Uint8Array, from: SocketRoute) => void = () => undefined;
  /** Called when the mapping, or where the server sees the socket, is another one. */
  onMapping: () => void = () => undefined;
  readonly turn = new SearchTurn();
  readonly #network: SimNetwork;
  readonly #server: NatServer;
  readonly #gatherer: Gatherer;
  /** By socket and port of the server that told. */
  readonly #reflexive = new Map<string, UdpAddress>();
  /** Who waits for what the server says of which sockets. */
  readonly #surveys = new Map<readonly number[], (addresses: readonly (UdpAddress | null)[]) => void>();

  /** @param port of its socket; any when left out */
  constructor(network: SimNetwork, side: NatSide, server: NatServer, port?: number) {
    this.#network = network;
    this.side = side;
    this.#server = server;
    this.member = server.join();
    this.#gatherer = new Gatherer({ random: network.random.fork().bytes });
    this.socket = this.#open(port);
    network.add(this);
    this.gather();
  }

  /** What it knows of where it is. */
  get own(): OwnNetwork {
    const { host } = this.side;
    const address = { ip: host.ip, port: host.portOf(this.socket) };
    return {
      subnets: [{ ip: host.ip, prefix: 24 }],
      addresses: [address, ...this.#reflexive.values()],
      servers: this.#server.addresses,
    };
  }

  /** Where the server sees the socket; null for not known. */
  get seenAt(): UdpAddress | null {
    return this.#reflexive.get(`${this.socket} 0`) ?? null;
  }

  /** Asks the server under a new ticket where it sees the socket: at first, and when the network has changed. */
  gather(): void {
    this.#reflexive.clear();
    const ticket = this.#server.ticket(this.member);
    this.#gatherer.start(this.#network.now, ticket, [{ socket: this.socket, family: 4 }], this.#server.addresses);
    this.#gatherer.setKeepalive(this.#network.now, true);
    this.#flush();
  }

  /** Asks at once: a path has fallen silent, and where the server sees the socket may be elsewhere now. */
  refresh(): void {
    this.#gatherer.refresh(this.#network.now);
    this.#flush();
  }

  openSockets(count: number): readonly number[] {
    return Array.from({ length: count }, () => this.#open());
  }

  closeSockets(sockets: readonly number[]): void {
    for (const socket of sockets) this.side.host.close(socket);
  }

  /** Has the server say where it sees these, in the order they ask; null without an answer. */
  survey(sockets: readonly number[], tell: (addresses: readonly (UdpAddress | null)[]) => void): void {
    if (sockets.length === 0) return tell([]);
    this.#surveys.set(sockets, tell);
    this.#gatherer.survey(this.#network.now, sockets);
    this.#flush();
  }

  send(bytes: Uint8Array, { socket, remote }: SocketRoute, ttl?: number): void {
    this.side.host.send(socket, bytes, remote, ttl);
  }

  wakeAt(): number | null {
    return this.#gatherer.pollTimeout();
  }

  wake(): void {
    this.#gatherer.handleTimeout(this.#network.now);
    this.#flush();
  }

  #open(port?: number): number {
    const socket: number = this.side.host.open((bytes, remote) => this.#hear(bytes, { socket, remote }), port);
    return socket;
  }

  #hear(bytes: Uint8Array, from: SocketRoute): void {
    if (typeAt(bytes, 0, bytes.length) === packetType.sealed) return this.onPacket(bytes, from);
    this.#gatherer.handleDatagram(this.#network.now, bytes, from);
    this.#flush();
  }

  #flush(): void {
    const { now } = this.#network;
    for (let event = this.#gatherer.pollEvent(); event !== null; event = this.#gatherer.pollEvent()) this.#take(event);
    for (let out = this.#gatherer.pollTransmit(now); out !== null; out = this.#gatherer.pollTransmit(now))
      this.send(out.bytes, out.to);
  }

  #take(event: GatherEvent): void {
    if (event.kind === "reflexive") this.#reflexive.set(`${event.socket} ${event.listener}`, event.address);
    if (event.kind === "mapping") this.mapping = event.mapping;
    if (event.kind === "reflexive" || event.kind === "mapping") this.onMapping();
    if (event.kind === "sockets-wanted") this.#judgeWith(this.openSockets(event.count));
    if (event.kind !== "surveyed") return;
    this.#surveys.get(event.sockets)?.(event.addresses);
    this.#surveys.delete(event.sockets);
  }

  #judgeWith(sockets: readonly number[]): void {
    this.#surveys.set(sockets, () => this.closeSockets(sockets));
    this.#gatherer.judge(this.#network.now, sockets);
  }
}
