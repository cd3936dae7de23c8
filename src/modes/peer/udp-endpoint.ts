import { familyOf, type UdpAddress } from "../../wire/address.ts";
import type { SignallingMessage } from "../../wire/messages/signalling.ts";
import { toHex } from "../../wire/bytes.ts";
import { legIdOf } from "../../wire/messages/leg.ts";
import { packetType, receiverIndexAt, typeAt } from "../../wire/packet/header.ts";
import { Gatherer, type GatherEvent } from "../../wire/traversal/gather.ts";
import type { SocketRoute } from "../../wire/traversal/inquiry.ts";
import { type Mapping, unknownMapping } from "../../wire/traversal/mapping.ts";
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

/** Hears what a server answers about a relay leg. May not throw. */
export type LegReplies = (reply: Uint8Array, from: SocketRoute) => void;

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
  /** By their numbers, the program's own ones first. */
  readonly #ports = new Map<number, UdpPort>();
  readonly #own: EndpointSocket[] = [];
  #nextSocket = 0;
  #isClosed = false;
  readonly #sinks = new Map<number, PacketSink>();
  /** By the leg's id in hex. */
  readonly #legs = new Map<string, LegReplies>();
  readonly #gatherer = new Gatherer({ random: systemRandom });
  readonly #drive: Drive<GatherEvent, SocketRoute>;
  readonly #onFault: (error: unknown) => void;
  readonly #isHidden: boolean;
  /** By socket and port of the server that told. */
  readonly #reflexive = new Map<string, UdpAddress>();
  /** Sockets that the server has not answered in time. */
  readonly #unanswered = new Set<number>();
  #servers: readonly UdpAddress[] = [];
  #mapping = unknownMapping;
  readonly #onMapping = new Set<() => void>();
  /** Who waits for what the server says of which sockets. */
  readonly #surveys = new Map<readonly number[], (addresses: readonly (UdpAddress | null)[]) => void>();

  private constructor(onFault: (error: unknown) => void, isHidden: boolean) {
    this.#onFault = onFault;
    this.#isHidden = isHidden;
    this.#drive = new Drive(this.#gatherer, {
      send: ({ bytes, to, segmentBytes }) => this.send(bytes, to, segmentBytes),
      onEvent: (event) => this.#gathered(event),
      onFault,
    });
  }

  /**
   * IPv4 and, where the machine has it, IPv6.
   * @param isHidden no peer is told of these sockets or hears from them: they speak to the server's relay alone
   * @throws the system's error when there is no UDP at all
   */
  static async open(onFault: (error: unknown) => void, isHidden = false): Promise<UdpEndpoint> {
    const endpoint = new UdpEndpoint(onFault, isHidden);
    const results = await Promise.allSettled([endpoint.#bindOwn("0.0.0.0"), endpoint.#bindOwn("::")]);
    const [first] = results;
    if (endpoint.#ports.size === 0 && first.status === "rejected") throw first.reason;
    return endpoint;
  }

  /** Without sockets: where there is no UDP, or none shall be used. */
  static none(onFault: (error: unknown) => void): UdpEndpoint {
    return new UdpEndpoint(onFault, true);
  }

  /** Its own ones: those that peers are told of. */
  get sockets(): readonly EndpointSocket[] {
    return this.#isHidden ? [] : this.#own;
  }

  /** Those that may speak to the server's relay. */
  get relaySockets(): readonly EndpointSocket[] {
    return this.#own;
  }

  /** Nothing that this socket sends is cut up on its way out. */
  isUnfragmented(socket: number): boolean {
    return this.#ports.get(socket)?.isUnfragmented ?? false;
  }

  /** Where the server sees our sockets, as far as it has told. */
  get reflexive(): readonly UdpAddress[] {
    return [...this.#reflexive.values()];
  }

  /** Where the server sees our own IPv4 socket; null for not known. */
  get seenAt(): UdpAddress | null {
    const own = this.#own.find(({ family }) => family === 4);
    return (own && this.#reflexive.get(`${own.socket} 0`)) ?? null;
  }

  /** Families in which the server has not answered in time. */
  get unanswered(): readonly (4 | 6)[] {
    return this.#own.filter(({ socket }) => this.#unanswered.has(socket)).map(({ family }) => family);
  }

  /** How the NAT maps IPv4. */
  get mapping(): Mapping {
    return this.#mapping;
  }

  /** @param handler hears that {@link mapping} or {@link seenAt} is another one; may not throw. @returns what ends that */
  onMapping(handler: () => void): () => void {
    this.#onMapping.add(handler);
    return () => void this.#onMapping.delete(handler);
  }

  /** The server's UDP ports as we reach them; none before `gather`. */
  get servers(): readonly UdpAddress[] {
    return this.#servers;
  }

  /** @returns false when there is no room for more before `onDrain` */
  send(bytes: Uint8Array, to: SocketRoute, segmentBytes: number): boolean {
    return this.#ports.get(to.socket)?.send(bytes, to.remote, segmentBytes) ?? true;
  }

  /** One datagram that may pass so many routers and no more. */
  sendWithin(hopLimit: number, bytes: Uint8Array, to: SocketRoute): void {
    this.#ports.get(to.socket)?.sendWithin(hopLimit, bytes, to.remote);
  }

  /** New IPv4 sockets for one session, until {@link closeSpares}: as many as the system gives. None where there is no own one. */
  async openSpares(count: number): Promise<readonly number[]> {
    if (!this.#own.some(({ family }) => family === 4)) return [];
    const opened = await Promise.allSettled(Array.from({ length: count }, () => this.#bind("0.0.0.0", 0)));
    return opened.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  }

  closeSpares(sockets: readonly number[]): void {
    for (const socket of sockets) {
      this.#ports.get(socket)?.close();
      this.#ports.delete(socket);
    }
  }

  /** Where the server sees these, in the order they ask; null without an answer. Within 0.6 s. */
  survey(sockets: readonly number[]): Promise<readonly (UdpAddress | null)[]> {
    if (sockets.length === 0) return Promise.resolve([]);
    const { promise, resolve } = Promise.withResolvers<readonly (UdpAddress | null)[]>();
    this.#surveys.set(sockets, resolve);
    this.#gatherer.survey(this.#drive.now(), sockets);
    this.#drive.wake();
    return promise;
  }

  register(index: number, sink: PacketSink): void {
    this.#sinks.set(index, sink);
  }

  retire(index: number, sink: PacketSink): void {
    if (this.#sinks.get(index) === sink) this.#sinks.delete(index);
  }

  addLeg(leg: Uint8Array, onReply: LegReplies): void {
    this.#legs.set(toHex(leg), onReply);
  }

  /** @param leg its id in hex */
  removeLeg(leg: string): void {
    this.#legs.delete(leg);
  }

  /** Asks the server where it sees our sockets. @param ips of the node that gave the ticket */
  gather(ips: readonly string[], ticket: Ticket): void {
    this.#servers = ips.flatMap((ip) => ticket.ports.map((port) => ({ ip, port })));
    this.#reflexive.clear();
    this.#unanswered.clear();
    this.#gatherer.start(this.#drive.now(), { id: ticket.ticket, key: ticket.key }, this.sockets, this.#servers);
    this.#gatherer.setKeepalive(this.#drive.now(), true);
    this.#drive.wake();
  }

  /** A path has stopped working: perhaps the NAT gives us other addresses now. */
  refresh(): void {
    this.#gatherer.refresh(this.#drive.now());
    this.#drive.wake();
  }

  renewTicket(ticket: Ticket): void {
    this.#gatherer.renew({ id: ticket.ticket, key: ticket.key });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#gatherer.stop();
    this.#drive.stop();
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
    this.#sinks.clear();
    for (const [sockets, tell] of this.#surveys) tell(sockets.map(() => null));
  }

  #gathered(event: GatherEvent): void {
    switch (event.kind) {
      case "reflexive":
        this.#unanswered.delete(event.socket);
        this.#reflexive.set(`${event.socket} ${event.listener}`, event.address);
        return this.#tellMapping();
      case "mapping":
        this.#mapping = event.mapping;
        return this.#tellMapping();
      case "sockets-wanted":
        return void this.#judgeWith(event.count);
      case "surveyed":
        this.#surveys.get(event.sockets)?.(event.addresses);
        return void this.#surveys.delete(event.sockets);
      case "blocked":
        this.#unanswered.add(event.socket);
        return this.#tellMapping();
    }
  }

  #tellMapping(): void {
    for (const handler of this.#onMapping) handler();
  }

  /** Never rejects. */
  async #judgeWith(count: number): Promise<void> {
    const sockets = await this.openSpares(count);
    this.#surveys.set(sockets, () => this.closeSpares(sockets));
    this.#gatherer.judge(this.#drive.now(), sockets);
    this.#drive.wake();
  }

  async #bindOwn(ip: string): Promise<void> {
    const socket = await this.#bind(ip);
    const port = this.#ports.get(socket)?.address.port ?? 0;
    this.#own.push({ socket, family: familyOf(ip), port });
  }

  /** @param port omitted: a random one */
  async #bind(ip: string, port?: number): Promise<number> {
    const socket = this.#nextSocket++;
    const opened = await UdpPort.open({
      ip,
      offload: true,
      ...(port !== undefined && { port }),
      onDatagram: (datagram, remote) => this.#received(datagram, { socket, remote }),
      onDrain: () => this.#drained(),
      onTooLong: (remote, bytes) => this.#tooLong({ socket, remote }, bytes),
      onFault: this.#onFault,
    });
    if (this.#isClosed) opened.close();
    else this.#ports.set(socket, opened);
    return socket;
  }

  /** What the kernel has joined may be for several sessions, and a forged datagram in it must cost no more than itself. */
  #received(buffer: Uint8Array, from: SocketRoute): void {
    for (const datagram of byReceiver(buffer, (index) => this.#sinks.has(index))) {
      const type = typeAt(datagram, 0, datagram.length);
      if (type === packetType.sealed) this.#sinks.get(receiverIndexAt(datagram, 0))?.onPackets(datagram, from);
      else if (type === packetType.discoveryReply) this.#drive.handleDatagram(datagram, from);
      else if (type === packetType.legReply) this.#legs.get(toHex(legIdOf(datagram)))?.(datagram, from);
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
