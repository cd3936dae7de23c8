import { sameAddress, type UdpAddress } from "../../wire/address.ts";
import type { Random } from "../../wire/core.ts";
import { Responder, type Ticket } from "../../wire/traversal/responder.ts";
import type { Clock } from "./clock.ts";
import type { Member, Message } from "./members.ts";

/** A member's tickets that still answer: the newest, and those it is just leaving. */
const MAX_TICKETS = 3;
const MAX_ADDRESSES = 8;

export interface DiscoveryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** UDP ports, in the order of the listeners. */
  readonly ports: readonly number[];
  /** Where this server itself is heard. */
  readonly ownAddresses: readonly UdpAddress[];
  /** `member.observed` is another one now. */
  readonly onObserved: (member: Member) => void;
}

/** Gives tickets to members and notes where UDP requests under them come from. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #responder: Responder;
  readonly #bearers = new Map<Ticket, Member>();
  /** Newest last. */
  readonly #tickets = new Map<Member, Ticket[]>();
  /** The ticket under which `member.observed` was seen. */
  readonly #seenUnder = new WeakMap<Member, Ticket>();

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#responder = new Responder({ random: options.random, ownAddresses: options.ownAddresses });
  }

  issue(member: Member): Omit<Message<"ticket">, "kind" | "request" | "node"> {
    const ticket = this.#responder.issue(this.#options.clock.now(), member.ip);
    const tickets = [...(this.#tickets.get(member) ?? []), ticket];
    for (const old of tickets.splice(0, tickets.length - MAX_TICKETS)) this.#revoke(old);
    this.#tickets.set(member, tickets);
    this.#bearers.set(ticket, member);
    return { ticket: ticket.id, key: ticket.key, lifetimeMs: ticket.lifetimeMs, ports: this.#options.ports };
  }

  /** @returns what to send back to `from` out of the same listener; null for silence */
  handleDatagram(datagram: Uint8Array, from: UdpAddress, listener: number): Uint8Array | null {
    const answer = this.#responder.handleDatagram(this.#options.clock.now(), datagram, from, listener);
    if (answer !== null) this.#note(answer.observed.ticket, answer.observed.address);
    return answer?.reply ?? null;
  }

  left(member: Member): void {
    for (const ticket of this.#tickets.get(member) ?? []) this.#revoke(ticket);
    this.#tickets.delete(member);
  }

  /** A member takes a new ticket when its network changes: what the first answer under it shows replaces all that was seen before. */
  #note(ticket: Ticket, address: UdpAddress): void {
    const member = this.#bearers.get(ticket);
    if (member === undefined || this.#tickets.get(member)?.at(-1) !== ticket) return;
    const before = this.#seenUnder.get(member) === ticket ? member.observed : [];
    this.#seenUnder.set(member, ticket);
    if (before.some((each) => sameAddress(each, address))) return;
    member.observed = [...before, address].slice(-MAX_ADDRESSES);
    this.#options.onObserved(member);
  }

  #revoke(ticket: Ticket): void {
    this.#responder.revoke(ticket);
    this.#bearers.delete(ticket);
  }
}
