import { sameAddress, type UdpAddress } from "../address.ts";
import type { DiscoveryReply } from "../messages/discovery.ts";
import { Inquiry, type OpenTicket, type Schedule, type SocketRoute } from "./inquiry.ts";

/** What a lane asks with; one for all lanes, since the ticket may be renewed under them. */
export interface Asking {
  ticket: OpenTicket;
  newTxid(): Uint8Array;
  /** Until the mapping wants refreshing; null when it may go. */
  keepAfterMs(): number | null;
}

interface ServerPort {
  readonly remote: UdpAddress;
  inquiry: Inquiry | null;
  reflexive: UdpAddress | null;
}

const FIRST: Schedule = { askAtMs: [0, 100, 200, 400, 800], giveUpAtMs: 1_500 };
/** One lost keepalive must not cost the mapping, so it is repeated. */
const KEEP: Schedule = { askAtMs: [0, 1_000, 2_000], giveUpAtMs: 3_500 };
/** UDP may be blocked for now: how long after a silence to try again; the last holds from then on. Milliseconds. */
const RETRY_AFTER_MS = [10_000, 60_000];

/** One of our sockets, and what the server's ports say where they see it. */
export class ServerLane {
  readonly socket: number;
  readonly #asking: Asking;
  readonly #ports: readonly ServerPort[];
  #isKeeping = false;
  #isBlocked = false;
  #silences = 0;
  #retryAt = Infinity;
  #keepAt = Infinity;

  constructor(now: number, socket: number, remotes: readonly UdpAddress[], asking: Asking) {
    this.socket = socket;
    this.#asking = asking;
    this.#ports = remotes.map((remote) => ({ remote, inquiry: null, reflexive: null }));
    this.#askAll(now);
  }

  /** When there is something to do; Infinity for never. */
  dueAt(): number {
    const inquiries = this.#ports.map(({ inquiry }) => inquiry?.dueAt ?? Infinity);
    return Math.min(...inquiries, this.#retryAt, this.#keepAt);
  }

  get remotes(): readonly UdpAddress[] {
    return this.#ports.map(({ remote }) => remote);
  }

  /** A question that is due. */
  poll(now: number): (SocketRoute & { readonly bytes: Uint8Array }) | null {
    for (const { inquiry, remote } of this.#ports) {
      const bytes = inquiry?.ask(now) ?? null;
      if (bytes !== null) return { socket: this.socket, remote, bytes };
    }
    return null;
  }

  /** @returns what it says, whether that is new, and whether it was another before; null when it answers no question */
  receive(
    now: number,
    datagram: Uint8Array,
    from: UdpAddress,
  ): { reply: DiscoveryReply; isNews: boolean; hasMoved: boolean } | null {
    const port = this.#ports.find(({ remote }) => sameAddress(remote, from));
    const reply = port?.inquiry?.answer(datagram) ?? null;
    if (port === undefined || reply === null) return null;
    const isNews = port.reflexive === null || !sameAddress(port.reflexive, reply.address);
    const hasMoved = isNews && port.reflexive !== null;
    if (hasMoved) this.#forgetOthers(now, port);
    port.inquiry = null;
    port.reflexive = reply.address;
    this.#isBlocked = false;
    this.#silences = 0;
    this.#retryAt = Infinity;
    this.scheduleKeep(now);
    return { reply, isNews, hasMoved };
  }

  /** Where each of the server's ports that has answered sees the socket; empty until none is waited for any more. */
  get reflexive(): readonly UdpAddress[] {
    const addresses = this.#ports.flatMap(({ reflexive }) => reflexive ?? []);
    return addresses.length === this.#ports.length || this.#isQuiet() ? addresses : [];
  }

  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Asks all ports, unless they are being asked. */
  refresh(now: number): void {
    if (this.#isQuiet()) this.#askAll(now);
  }

  /** After an answer, and when it is decided anew whether the mapping is to be kept. */
  scheduleKeep(now: number): void {
    this.#keepAt = now + (this.#asking.keepAfterMs() ?? Infinity);
  }

  /** @returns true when the socket has just turned out to be blocked */
  handleTimeout(now: number): boolean {
    if (this.#giveUp(now) && this.#isQuiet()) {
      if (this.#isKeeping) this.#askAll(now);
      else if (!this.#hasAnswer()) return this.#block(now);
    }
    if (now >= this.#retryAt) this.#askAll(now);
    if (now >= this.#keepAt) this.#keep(now);
    return false;
  }

  #askAll(now: number): void {
    this.#isKeeping = false;
    this.#retryAt = Infinity;
    for (const port of this.#ports) port.inquiry = this.#inquire(now, FIRST);
  }

  /** The NAT gave another address: what the other ports saw is as old. */
  #forgetOthers(now: number, moved: ServerPort): void {
    this.#isKeeping = false;
    for (const port of this.#ports) {
      if (port === moved) continue;
      port.reflexive = null;
      port.inquiry ??= this.#inquire(now, FIRST);
    }
  }

  #keep(now: number): void {
    this.#keepAt = Infinity;
    const port = this.#isQuiet() ? this.#ports.find(({ reflexive }) => reflexive !== null) : undefined;
    if (port === undefined) return;
    this.#isKeeping = true;
    port.inquiry = this.#inquire(now, KEEP);
  }

  #inquire(now: number, schedule: Schedule): Inquiry {
    return new Inquiry(now, this.#asking.ticket, this.#asking.newTxid(), schedule);
  }

  /** @returns whether a question ended without an answer */
  #giveUp(now: number): boolean {
    const over = this.#ports.filter(({ inquiry }) => inquiry?.isOver(now) === true);
    for (const port of over) {
      port.inquiry = null;
      port.reflexive = null;
    }
    return over.length > 0;
  }

  #block(now: number): boolean {
    this.#retryAt = now + (RETRY_AFTER_MS[this.#silences] ?? RETRY_AFTER_MS.at(-1) ?? Infinity);
    this.#silences++;
    const isNews = !this.#isBlocked;
    this.#isBlocked = true;
    return isNews;
  }

  #isQuiet(): boolean {
    return this.#ports.every(({ inquiry }) => inquiry === null);
  }

  #hasAnswer(): boolean {
    return this.#ports.some(({ reflexive }) => reflexive !== null);
  }
}
