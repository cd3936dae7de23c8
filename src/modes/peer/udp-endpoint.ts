import { lookup } from "node:dns/promises";
import { canonicalIp, familyOf, type UdpAddress } from "../../wire/address.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import { packetType, receiverIndexAt, typeAt } from "../../wire/packet/header.ts";
import { Gatherer, type GatherEvent } from "../../wire/traversal/gather.ts";
import type { SocketRoute } from "../../wire/traversal/inquiry.ts";
import { Drive } from "../runtime/driver.ts";
import { UdpPort } from "../runtime/udp-port.ts";
import { byReceiver } from "./by-receiver.ts";
import { systemRandom } from "./own-device.ts";

export type Ticket = SignallingMessage & { readonly kind: "ticket" };

/** Who gets the packets that carry one of its receiver indexes. May not throw. */
export interface PacketSink {
  onPackets(datagram: Uint8Array, from: SocketRoute): void;
  /** Packets of this length do not leave this machine there. */
  onTooLong(to: SocketRoute, bytes: number): void;
  /** A socket has room again. */
  onDrain(): void;
}

/** One of our sockets, by the number that routes use. */
export interface EndpointSocket {
  readonly socket: number;
  readonly family: 4 | 6;
  readonly port: number;
}

/**
 * The program's UDP sockets, one per family, shared by all its sessions: a sealed packet goes to the session that owns its receiver
 * index, a discovery reply to the gatherer, and all else nowhere.
 */
export class UdpEndpoint implements Disposable {
  readonly #ports: UdpPort[] = [];
  readonly #sinks = new Map<number, PacketSink>();
  readonly #gatherer = new Gatherer({ random: systemRandom });
  readonly #drive: Drive<GatherEvent, SocketRoute>;
  readonly #onFault: (error: unknown) => void;
  /** By socket and port of the server that told. */
  readonly #reflexive = new Map<string, UdpAddress>();
  #servers: readonly UdpAddress[] = [];

  private constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
    this.#drive = new Drive(this.#gatherer, {
      send: ({ bytes, to, segmentBytes }) => this.send(bytes, to, segmentBytes),
      onEvent: (event) => this.#gathered(event),
      onFault,
    });
  }

  /** IPv4 and, where the machine has it, IPv6. @throws the system's error when there is no UDP at all */
  static async open(onFault: (error: unknown) => void): Promise<UdpEndpoint> {
    const endpoint = new UdpEndpoint(onFault);
    const results = await Promise.allSettled([endpoint.#bind("0.0.0.0"), endpoint.#bind("::")]);
    const [first] = results;
    if (endpoint.#ports.length === 0 && first.status === "rejected") throw first.reason;
    return endpoint;
  }

  /** Without sockets: for who may show no address, and where there is no UDP. */
  static none(onFault: (error: unknown) => void): UdpEndpoint {
    return new UdpEndpoint(onFault);
  }

  get sockets(): readonly EndpointSocket[] {
    return this.#ports.map(({ address }, socket) => ({ socket, family: familyOf(address.ip), port: address.port }));
  }

  /** Nothing that this socket sends is cut up on its way out. */
  isUnfragmented(socket: number): boolean {
    return this.#ports[socket]?.isUnfragmented ?? false;
  }

  /** Where the server sees our sockets, as far as it has told. */
  get reflexive(): readonly UdpAddress[] {
    return [...this.#reflexive.values()];
  }

  /** The server's UDP ports as we reach them; none before `gather`. */
  get servers(): readonly UdpAddress[] {
    return this.#servers;
  }

  /** @returns false when there is no room for more before `onDrain` */
  send(bytes: Uint8Array, to: SocketRoute, segmentBytes: number): boolean {
    return this.#ports[to.socket]?.send(bytes, to.remote, segmentBytes) ?? true;
  }

  register(index: number, sink: PacketSink): void {
    this.#sinks.set(index, sink);
  }

  retire(index: number, sink: PacketSink): void {
    if (this.#sinks.get(index) === sink) this.#sinks.delete(index);
  }

  /** Asks the server where it sees our sockets; `host` is where the channel goes to. */
  async gather(host: string, ticket: Ticket): Promise<void> {
    const ips = await addressesOf(host);
    this.#servers = ips.flatMap((ip) => ticket.ports.map((port) => ({ ip, port })));
    this.#reflexive.clear();
    this.#gatherer.start(this.#drive.now(), { id: ticket.ticket, key: ticket.key }, this.sockets, this.#servers);
    this.#gatherer.setKeepalive(this.#drive.now(), true);
    this.#drive.wake();
  }

  renewTicket(ticket: Ticket): void {
    this.#gatherer.renew({ id: ticket.ticket, key: ticket.key });
  }

  [Symbol.dispose](): void {
    this.#gatherer.stop();
    this.#drive.stop();
    for (const port of this.#ports) port.close();
    this.#sinks.clear();
  }

  #gathered(event: GatherEvent): void {
    if (event.kind === "reflexive") this.#reflexive.set(`${event.socket} ${event.listener}`, event.address);
  }

  async #bind(ip: string): Promise<void> {
    const port: UdpPort = await UdpPort.open({
      ip,
      offload: true,
      onDatagram: (datagram, remote) => this.#received(datagram, { socket: this.#ports.indexOf(port), remote }),
      onDrain: () => this.#drained(),
      onTooLong: (remote, bytes) => this.#tooLong({ socket: this.#ports.indexOf(port), remote }, bytes),
      onFault: this.#onFault,
    });
    this.#ports.push(port);
  }

  /** What the kernel has joined may be for several sessions, and a forged datagram in it must cost no more than itself. */
  #received(buffer: Uint8Array, from: SocketRoute): void {
    for (const datagram of byReceiver(buffer, (index) => this.#sinks.has(index))) {
      const type = typeAt(datagram, 0, datagram.length);
      if (type === packetType.sealed) this.#sinks.get(receiverIndexAt(datagram, 0))?.onPackets(datagram, from);
      else if (type === packetType.discoveryReply) this.#drive.handleDatagram(datagram, from);
    }
  }

  /** Whose packets they were is not asked: the way out is the same for all. */
  #tooLong(to: SocketRoute, bytes: number): void {
    for (const sink of new Set(this.#sinks.values())) sink.onTooLong(to, bytes);
  }

  #drained(): void {
    this.#drive.drained();
    for (const sink of new Set(this.#sinks.values())) sink.onDrain();
  }
}

/** One address per family is enough: they all lead to the same server. */
async function addressesOf(host: string): Promise<readonly string[]> {
  const literal = canonicalIp(host);
  if (literal !== null) return [literal];
  const found = await lookup(host, { all: true });
  const first = (family: number) => found.find((each) => each.family === family)?.address;
  return [first(4), first(6)].flatMap((ip) => (ip === undefined ? [] : (canonicalIp(ip) ?? [])));
}
