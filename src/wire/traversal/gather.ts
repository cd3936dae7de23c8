import { familyOf, scopeOf, type UdpAddress } from "../address.ts";
import type { Core, Random, Transmit } from "../core.ts";
import { KEEPALIVE_MS } from "../limits.ts";
import { isReply, TXID_BYTES } from "../messages/discovery.ts";
import { OpenTicket, type SocketRoute } from "./inquiry.ts";
import { ServerLane, type Asking } from "./server-lane.ts";

export type GatherEvent =
  /** The server sees `socket` at `address` when its port number `listener` is asked; told again when that changes. */
  | {
      readonly kind: "reflexive";
      readonly socket: number;
      readonly address: UdpAddress;
      readonly listener: number;
    }
  /** No port of the server answered this socket in 1.5 s. It is tried again after 10 s, then every minute. */
  | { readonly kind: "blocked"; readonly socket: number };

export interface GatherSocket {
  readonly socket: number;
  readonly family: 4 | 6;
}

/** A ticket as it came inside the channel. */
export interface GivenTicket {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** Keepalives come KEEPALIVE_MS ± this part of it apart, so that many peers do not beat in time. */
const KEEPALIVE_JITTER = 0.2;

/** Asks the server's ports where they see our sockets, and keeps those mappings while they are wanted. PROTOCOL.md §10.4. */
export class Gatherer implements Core<GatherEvent, SocketRoute> {
  readonly #random: Random;
  readonly #events: GatherEvent[] = [];
  #lanes: readonly ServerLane[] = [];
  #asking: Asking | null = null;
  #isKeeping = false;

  constructor(options: { readonly random: Random }) {
    this.#random = options.random;
  }

  /**
   * Asks everything anew: at the start, and after each change of the network. What was known before is forgotten.
   * @param servers the server's UDP ports; each socket asks those of its family
   */
  start(now: number, ticket: GivenTicket, sockets: readonly GatherSocket[], servers: readonly UdpAddress[]): void {
    const asking = this.#askWith(ticket);
    this.#asking = asking;
    this.#lanes = sockets.flatMap(({ socket, family }) => {
      const remotes = servers.filter(({ ip }) => familyOf(ip) === family);
      return remotes.length > 0 ? [new ServerLane(now, socket, remotes, asking)] : [];
    });
  }

  /** The server has replaced the ticket: questions from now on go under the new one. */
  renew(ticket: GivenTicket): void {
    if (this.#asking !== null) this.#asking.ticket = new OpenTicket(ticket.id, ticket.key);
  }

  /** Whether the mappings are to be refreshed: while peers may still be told of them. */
  setKeepalive(now: number, isWanted: boolean): void {
    this.#isKeeping = isWanted;
    for (const lane of this.#lanes) lane.scheduleKeep(now);
  }

  /** Nothing more is asked or told until the next start. */
  stop(): void {
    this.#lanes = [];
    this.#asking = null;
    this.#events.length = 0;
  }

  handleDatagram(now: number, datagram: Uint8Array, from: SocketRoute): void {
    const lane = isReply(datagram) ? this.#lanes.find(({ socket }) => socket === from.socket) : undefined;
    const heard = lane?.receive(now, datagram, from.remote) ?? null;
    if (heard === null || !heard.isNews || !isPlace(heard.reply.address)) return;
    const { address, listener } = heard.reply;
    this.#events.push({ kind: "reflexive", socket: from.socket, address, listener });
  }

  handleTimeout(now: number): void {
    for (const lane of this.#lanes)
      if (lane.handleTimeout(now)) this.#events.push({ kind: "blocked", socket: lane.socket });
  }

  pollEvent(): GatherEvent | null {
    return this.#events.shift() ?? null;
  }

  pollTransmit(now: number): Transmit<SocketRoute> | null {
    for (const lane of this.#lanes) {
      const question = lane.poll(now);
      if (question === null) continue;
      const { bytes, remote } = question;
      return { to: { socket: lane.socket, remote }, bytes, segmentBytes: bytes.length };
    }
    return null;
  }

  pollTimeout(): number | null {
    const at = Math.min(...this.#lanes.map((lane) => lane.dueAt()));
    return at === Infinity ? null : at;
  }

  #askWith({ id, key }: GivenTicket): Asking {
    return {
      ticket: new OpenTicket(id, key),
      newTxid: () => this.#random(TXID_BYTES),
      keepAfterMs: () => (this.#isKeeping ? this.#keepaliveMs() : null),
    };
  }

  #keepaliveMs(): number {
    const part = (this.#random(1)[0] ?? 0) / 255;
    return KEEPALIVE_MS * (1 + KEEPALIVE_JITTER * (2 * part - 1));
  }
}

/** The server may be wrong, or lie: no peer is to hear of an address that is none. */
function isPlace({ ip, port }: UdpAddress): boolean {
  const scope = scopeOf(ip);
  return port !== 0 && scope !== "unspecified" && scope !== "multicast" && scope !== "reserved";
}
