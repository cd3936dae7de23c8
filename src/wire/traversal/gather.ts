import { familyOf, sameAddress, scopeOf, type UdpAddress } from "../address.ts";
import type { Core, Random, Transmit } from "../core.ts";
import { KEEPALIVE_MS, SHORT_KEEPALIVE_MS } from "../limits.ts";
import { isReply, TXID_BYTES } from "../messages/discovery.ts";
import { OpenTicket, type SocketRoute } from "./inquiry.ts";
import { classifyMapping, type Mapping, unknownMapping } from "./mapping.ts";
import { ServerLane, type Asking } from "./server-lane.ts";
import { Survey } from "./survey.ts";

export type GatherEvent =
  /** The server sees `socket` at `address` when its port number `listener` is asked; told again when that changes. */
  | {
      readonly kind: "reflexive";
      readonly socket: number;
      readonly address: UdpAddress;
      readonly listener: number;
    }
  /** No port of the server answered this socket in 1.5 s. It is tried again after 10 s, then every minute. */
  | { readonly kind: "blocked"; readonly socket: number }
  /** How the NAT in front of the IPv4 socket maps, or how it turns out to do now. */
  | { readonly kind: "mapping"; readonly mapping: Mapping }
  /** So many new IPv4 sockets are to be opened and given to {@link Gatherer.judge}: the server's ports see ours differently. */
  | { readonly kind: "sockets-wanted"; readonly count: number }
  /** Where one of the server's ports sees them, in the order they asked; null without an answer. They may be closed now. */
  | {
      readonly kind: "surveyed";
      readonly sockets: readonly number[];
      readonly addresses: readonly (UdpAddress | null)[];
    };

export interface GatherSocket {
  readonly socket: number;
  readonly family: 4 | 6;
}

/** A ticket as it came inside the channel. */
export interface GivenTicket {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}

/** Keepalives come so long ± this part of it apart, so that many peers do not beat in time. */
const KEEPALIVE_JITTER = 0.2;
/** To see by which rule ports follow each other. */
const JUDGED_SOCKETS = 4;

/** Asks the server's ports where they see our sockets, and keeps those mappings while they are wanted. PROTOCOL.md §10.4. */
export class Gatherer implements Core<GatherEvent, SocketRoute> {
  readonly #random: Random;
  readonly #events: GatherEvent[] = [];
  #lanes: readonly ServerLane[] = [];
  #asking: Asking | null = null;
  #isKeeping = false;
  #keepaliveMs = KEEPALIVE_MS;
  #mapping: Mapping = unknownMapping;
  #surveys: readonly Survey[] = [];
  /** The one by which the NAT is judged. */
  #judging: Survey | null = null;
  /** Sockets were asked for, so that a NAT is judged once. */
  #isJudged = false;

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
    this.#end(this.#surveys);
    this.#isJudged = false;
    this.#found(unknownMapping);
    this.#keepaliveMs = KEEPALIVE_MS;
    this.#lanes = sockets.flatMap(({ socket, family }) => {
      const remotes = servers.filter(({ ip }) => familyOf(ip) === family);
      return remotes.length > 0 ? [new ServerLane(now, socket, remotes, asking)] : [];
    });
  }

  /** The server has replaced the ticket: questions from now on go under the new one. */
  renew(ticket: GivenTicket): void {
    if (this.#asking !== null) this.#asking.ticket = new OpenTicket(ticket.id, ticket.key);
  }

  /** Our addresses may be others now: all ports are asked, and what is known holds until they answer. */
  refresh(now: number): void {
    for (const lane of this.#lanes) lane.refresh(now);
  }

  /** Asks the last port from new IPv4 sockets, a few milliseconds apart; `surveyed` comes within 0.6 s. */
  survey(now: number, sockets: readonly number[]): void {
    this.#survey(now, sockets);
  }

  /** The same with the sockets of `sockets-wanted`, by which the NAT is judged. */
  judge(now: number, sockets: readonly number[]): void {
    this.#judging = this.#survey(now, sockets);
  }

  /** Whether the mappings are to be refreshed: while peers may still be told of them. */
  setKeepalive(now: number, isWanted: boolean): void {
    this.#isKeeping = isWanted;
    for (const lane of this.#lanes) lane.scheduleKeep(now);
  }

  /** Nothing more is asked or told until the next start. */
  stop(): void {
    this.#lanes = [];
    this.#surveys = [];
    this.#asking = null;
    this.#events.length = 0;
  }

  handleDatagram(now: number, datagram: Uint8Array, from: SocketRoute): void {
    if (!isReply(datagram)) return;
    for (const survey of this.#surveys) survey.receive(from, datagram);
    const lane = this.#lanes.find(({ socket }) => socket === from.socket);
    const heard = lane?.receive(now, datagram, from.remote) ?? null;
    if (heard?.hasMoved === true) this.#moved(lane === this.#ipv4Lane());
    if (heard !== null && heard.isNews && isPlace(heard.reply.address)) {
      const { address, listener } = heard.reply;
      this.#events.push({ kind: "reflexive", socket: from.socket, address, listener });
    }
    this.#conclude(now);
  }

  handleTimeout(now: number): void {
    for (const lane of this.#lanes)
      if (lane.handleTimeout(now)) this.#events.push({ kind: "blocked", socket: lane.socket });
    this.#conclude(now);
  }

  pollEvent(): GatherEvent | null {
    return this.#events.shift() ?? null;
  }

  pollTransmit(now: number): Transmit<SocketRoute> | null {
    for (const asker of [...this.#lanes, ...this.#surveys]) {
      const question = asker.poll(now);
      if (question === null) continue;
      const { bytes, ...to } = question;
      return { to, bytes, segmentBytes: bytes.length };
    }
    return null;
  }

  pollTimeout(): number | null {
    const at = Math.min(...[...this.#lanes, ...this.#surveys].map((asker) => asker.dueAt()));
    return at === Infinity ? null : at;
  }

  /** On the network we were on: its NAT has forgotten us, and may do so again. */
  #moved(isIpv4: boolean): void {
    this.#keepaliveMs = SHORT_KEEPALIVE_MS;
    if (isIpv4) this.#isJudged = false;
  }

  #survey(now: number, sockets: readonly number[]): Survey | null {
    const remote = this.#ipv4Lane()?.remotes.at(-1);
    if (this.#asking === null || remote === undefined) {
      this.#events.push({ kind: "surveyed", sockets, addresses: sockets.map(() => null) });
      return null;
    }
    const survey = new Survey(now, sockets, remote, this.#asking);
    this.#surveys = [...this.#surveys, survey];
    return survey;
  }

  /** Ends surveys that are over, and says how the NAT maps as soon as that can be told. */
  #conclude(now: number): void {
    const over = this.#surveys.filter((survey) => survey.isOver(now));
    if (over.length > 0) this.#end(over);
    const lane = this.#ipv4Lane();
    if (lane === undefined) return;
    const judged = over.find((survey) => survey === this.#judging)?.addresses ?? null;
    const { reflexive } = lane;
    if (lane.isBlocked) this.#lose({ kind: "blocked", step: 0 });
    else if (judged !== null || isOne(reflexive)) this.#found(classifyMapping(reflexive, judged ?? []));
    else if (reflexive.length === 1) this.#lose(unknownMapping);
    else if (reflexive.length > 1 && !this.#isJudged) this.#wantSockets();
  }

  #end(over: readonly Survey[]): void {
    this.#surveys = this.#surveys.filter((survey) => !over.includes(survey));
    for (const { sockets, addresses } of over) this.#events.push({ kind: "surveyed", sockets, addresses });
  }

  #wantSockets(): void {
    this.#isJudged = true;
    this.#events.push({ kind: "sockets-wanted", count: JUDGED_SOCKETS });
  }

  /** What was found before is to be judged anew when more answers. */
  #lose(mapping: Mapping): void {
    this.#isJudged = false;
    this.#found(mapping);
  }

  #found(mapping: Mapping): void {
    if (mapping.kind === this.#mapping.kind && mapping.step === this.#mapping.step) return;
    this.#mapping = mapping;
    this.#events.push({ kind: "mapping", mapping });
  }

  #ipv4Lane(): ServerLane | undefined {
    return this.#lanes.find(({ remotes }) => remotes.every(({ ip }) => familyOf(ip) === 4));
  }

  #askWith({ id, key }: GivenTicket): Asking {
    return {
      ticket: new OpenTicket(id, key),
      newTxid: () => this.#random(TXID_BYTES),
      keepAfterMs: () => (this.#isKeeping ? this.#keepAfterMs() : null),
    };
  }

  #keepAfterMs(): number {
    const part = (this.#random(1)[0] ?? 0) / 255;
    return this.#keepaliveMs * (1 + KEEPALIVE_JITTER * (2 * part - 1));
  }
}

/** Seen alike by several ports. */
function isOne(addresses: readonly UdpAddress[]): boolean {
  const [first] = addresses;
  return first !== undefined && addresses.length > 1 && addresses.every((each) => sameAddress(each, first));
}

/** The server may be wrong, or lie: no peer is to hear of an address that is none. */
function isPlace({ ip, port }: UdpAddress): boolean {
  const scope = scopeOf(ip);
  return port !== 0 && scope !== "unspecified" && scope !== "multicast" && scope !== "reserved";
}
