import { scopeOf, type UdpAddress } from "../address.ts";
import { equalBytes } from "../bytes.ts";
import type { Random } from "../core.ts";
import { decodeRequest, encodeReply, isRequest, TICKET_ID_AT, TICKET_ID_BYTES } from "../messages/discovery.ts";
import { Pace } from "../pace.ts";
import { mayAsk } from "./asker.ts";
import { SequenceWindow } from "./sequence-window.ts";
import { deriveTicketKeys, isAuthentic, withMac, type TicketKeys } from "./ticket-keys.ts";

/** What the server gives inside the channel, so that the bearer can ask over UDP without saying who it is. */
export interface Ticket {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly lifetimeMs: number;
}

export interface Observed {
  /** The very object that {@link Responder.issue} returned. */
  readonly ticket: Ticket;
  readonly address: UdpAddress;
  readonly listener: number;
}

export interface ResponderOptions {
  readonly random: Random;
  /** Where the server itself is reached; what claims to come from there is dropped. */
  readonly ownAddresses?: readonly UdpAddress[];
  /** The oldest ticket goes when one more is issued. Default 100 000. */
  readonly maxTickets?: number;
}

interface Issued {
  readonly ticket: Ticket;
  readonly keys: TicketKeys;
  readonly expiresAt: number;
  readonly mayBeLoopback: boolean;
  readonly window: SequenceWindow;
  /** Of answers. */
  readonly pace: Pace;
}

export const TICKET_LIFETIME_MS = 600_000;
const ANSWERS_PER_SECOND = 10;

/**
 * Tells the bearer of a ticket which address it comes from. Everything else gets no answer at all, and no answer is longer than its
 * request. PROTOCOL.md §10.3 has the order of the checks; up to the MAC they cost one look-up.
 */
export class Responder {
  readonly #random: Random;
  readonly #ownAddresses: readonly UdpAddress[];
  readonly #maxTickets: number;
  /** In the order of issue, hence of expiry. By the first 48 bits of the id, so that a stranger's datagram costs no string. */
  readonly #issued = new Map<number, Issued>();

  constructor(options: ResponderOptions) {
    this.#random = options.random;
    this.#ownAddresses = options.ownAddresses ?? [];
    this.#maxTickets = options.maxTickets ?? 100_000;
  }

  get size(): number {
    return this.#issued.size;
  }

  /** @param channelIp where the bearer's channel comes from: only who came over loopback may ask over loopback */
  issue(now: number, channelIp: string): Ticket {
    this.#forgetOldest(now);
    let id = this.#random(TICKET_ID_BYTES);
    while (this.#issued.has(slotOf(id, 0))) id = this.#random(TICKET_ID_BYTES);
    const ticket = { id, key: this.#random(32), lifetimeMs: TICKET_LIFETIME_MS };
    this.#issued.set(slotOf(id, 0), {
      ticket,
      keys: deriveTicketKeys(ticket.key),
      expiresAt: now + TICKET_LIFETIME_MS,
      mayBeLoopback: scopeOf(channelIp) === "loopback",
      window: new SequenceWindow(),
      pace: new Pace(ANSWERS_PER_SECOND),
    });
    return ticket;
  }

  /** After sign-out, and for every ticket of a channel that closed. */
  revoke(ticket: Ticket): void {
    const slot = slotOf(ticket.id, 0);
    if (this.#issued.get(slot)?.ticket === ticket) this.#issued.delete(slot);
  }

  /**
   * @param from canonical
   * @param listener which of the server's ports heard it, from 0
   * @returns what to send back to `from` from that port, and what was learnt; null for silence
   */
  handleDatagram(
    now: number,
    datagram: Uint8Array,
    from: UdpAddress,
    listener: number,
  ): { readonly reply: Uint8Array; readonly observed: Observed } | null {
    const issued = isRequest(datagram) ? this.#find(now, datagram) : null;
    if (
      issued === null ||
      !mayAsk(from, this.#ownAddresses, issued.mayBeLoopback) ||
      !isAuthentic(issued.keys.request, datagram)
    )
      return null;
    const request = decodeRequest(datagram);
    if (request === null || !issued.window.accept(request.sequence) || !issued.pace.take(now)) return null;
    const { ticketId, txid } = request;
    const reply = withMac(issued.keys.reply, encodeReply({ ticketId, txid, address: from, listener }));
    return { reply, observed: { ticket: issued.ticket, address: from, listener } };
  }

  #find(now: number, datagram: Uint8Array): Issued | null {
    const issued = this.#issued.get(slotOf(datagram, TICKET_ID_AT));
    if (issued === undefined || now >= issued.expiresAt) return null;
    return equalBytes(issued.ticket.id, datagram.subarray(TICKET_ID_AT, TICKET_ID_AT + TICKET_ID_BYTES))
      ? issued
      : null;
  }

  #forgetOldest(now: number): void {
    for (const [slot, issued] of this.#issued) {
      if (now < issued.expiresAt && this.#issued.size < this.#maxTickets) return;
      this.#issued.delete(slot);
    }
  }
}

/** The first 48 bits of an id: a number that a double holds exactly. */
function slotOf(bytes: Uint8Array, at: number): number {
  let slot = 0;
  for (let index = at; index < at + 6; index++) slot = slot * 256 + (bytes[index] ?? 0);
  return slot;
}
