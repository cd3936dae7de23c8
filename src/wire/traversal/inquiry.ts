import type { UdpAddress } from "../address.ts";
import { equalBytes } from "../bytes.ts";
import { decodeReply, encodeRequest, type DiscoveryReply } from "../messages/discovery.ts";
import { deriveTicketKeys, isAuthentic, withMac, type TicketKeys } from "./ticket-keys.ts";

/** One of our sockets and where it sends to or hears from. */
export interface SocketRoute {
  readonly socket: number;
  readonly remote: UdpAddress;
}

/** A ticket in use: its numbers rise over all questions asked under it. */
export class OpenTicket {
  readonly #id: Uint8Array;
  readonly #keys: TicketKeys;
  #sequence = 0;

  constructor(id: Uint8Array, key: Uint8Array) {
    this.#id = id;
    this.#keys = deriveTicketKeys(key);
  }

  request(txid: Uint8Array): Uint8Array {
    return withMac(this.#keys.request, encodeRequest({ ticketId: this.#id, txid, sequence: this.#sequence++ }));
  }

  /** @returns null for what the server has not said under this ticket */
  open(datagram: Uint8Array): DiscoveryReply | null {
    const reply = decodeReply(datagram);
    return reply !== null && equalBytes(reply.ticketId, this.#id) && isAuthentic(this.#keys.reply, datagram)
      ? reply
      : null;
  }
}

/** When to ask and ask again, counted from the first time, and when to give up. Milliseconds. */
export interface Schedule {
  readonly askAtMs: readonly number[];
  readonly giveUpAtMs: number;
}

/** One question to one port of the server, asked until answered or given up. */
export class Inquiry {
  readonly #ticket: OpenTicket;
  readonly #txid: Uint8Array;
  readonly #schedule: Schedule;
  readonly #startedAt: number;
  #asked = 0;

  constructor(now: number, ticket: OpenTicket, txid: Uint8Array, schedule: Schedule) {
    this.#startedAt = now;
    this.#ticket = ticket;
    this.#txid = txid;
    this.#schedule = schedule;
  }

  /** When there is something to do next: asking or giving up. */
  get dueAt(): number {
    return this.#startedAt + (this.#schedule.askAtMs[this.#asked] ?? this.#schedule.giveUpAtMs);
  }

  /** It will be asked again unless answered. */
  get isAsking(): boolean {
    return this.#asked < this.#schedule.askAtMs.length;
  }

  isOver(now: number): boolean {
    return !this.isAsking && now >= this.dueAt;
  }

  /** @returns the datagram to send now, null when it is not time. What was missed is not made up for. */
  ask(now: number): Uint8Array | null {
    if (now < this.dueAt || !this.isAsking) return null;
    while (this.isAsking && now >= this.dueAt) this.#asked++;
    return this.#ticket.request(this.#txid);
  }

  /** @returns null unless it answers this very question */
  answer(datagram: Uint8Array): DiscoveryReply | null {
    const reply = this.#ticket.open(datagram);
    return reply !== null && equalBytes(reply.txid, this.#txid) ? reply : null;
  }
}
