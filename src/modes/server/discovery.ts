import { familyOf, sameAddress, type UdpAddress } from "../../wire/address.ts";
import type { Random } from "../../wire/core.ts";
import { type Observed, Responder, type Ticket } from "../../wire/traversal/responder.ts";
import type { Clock } from "./clock.ts";
import type { Member, Message } from "./members.ts";
import { UdpSilence } from "./udp-silence.ts";

/** A member's tickets that still answer: the newest, and those it is just leaving. */
const MAX_TICKETS = 3;
const MAX_ADDRESSES = 8;
/** By both ports. */
const MAX_SEEN = 64;

export interface DiscoveryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** UDP ports, in the order of the listeners. */
  readonly ports: readonly number[];
  /** Where this server itself is heard. */
  readonly ownAddresses: readonly UdpAddress[];
  /** `member.observed` is another one now. */
  readonly onObserved: (member: Member) => void;
  /** Called once at most: devices have signed in, and at these ports nothing has arrived. Left out: nobody asks. It may not throw. */
  readonly onSilence?: ((ports: readonly number[]) => void) | undefined;
}

interface Seen {
  readonly address: UdpAddress;
  readonly listener: number;
}

/** Gives tickets to members and notes where UDP requests under them come from. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #responder: Responder;
  readonly #bearers = new Map<Ticket, Member>();
  /** Newest last. */
  readonly #tickets = new Map<Member, Ticket[]>();
  /** By which ports, under the ticket beside it. */
  readonly #seen = new WeakMap<Member, { readonly ticket: Ticket; readonly all: readonly Seen[] }>();
  readonly #silence: UdpSilence;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#responder = new Responder({ random: options.random, ownAddresses: options.ownAddresses });
    this.#silence = new UdpSilence(options);
  }

  issue(member: Member): Omit<Message<"ticket">, "kind" | "request" | "node"> {
    const ticket = this.#responder.issue(this.#options.clock.now(), member.ip);
    const tickets = [...(this.#tickets.get(member) ?? []), ticket];
    for (const old of tickets.splice(0, tickets.length - MAX_TICKETS)) this.#revoke(old);
    this.#tickets.set(member, tickets);
    this.#bearers.set(ticket, member);
    this.#silence.told(member.identity.deviceId);
    return { ticket: ticket.id, key: ticket.key, lifetimeMs: ticket.lifetimeMs, ports: this.#options.ports };
  }

  /** @returns what to send back to `from` out of the same listener; null for silence */
  handleDatagram(datagram: Uint8Array, from: UdpAddress, listener: number): Uint8Array | null {
    this.#silence.heard(listener);
    const answer = this.#responder.handleDatagram(this.#options.clock.now(), datagram, from, listener);
    if (answer !== null) this.#note(answer.observed);
    return answer?.reply ?? null;
  }

  left(member: Member): void {
    for (const ticket of this.#tickets.get(member) ?? []) this.#revoke(ticket);
    this.#tickets.delete(member);
  }

  /** A member takes a new ticket when its network changes: what the first answer under it shows replaces all that was seen before. */
  #note({ ticket, address, listener }: Observed): void {
    const member = this.#bearers.get(ticket);
    if (member === undefined || this.#tickets.get(member)?.at(-1) !== ticket) return;
    const known = this.#seen.get(member);
    const before = known?.ticket === ticket ? known.all : [];
    if (before.some((each) => each.listener === listener && sameAddress(each.address, address))) return;
    const all = [...before, { address, listener }].slice(-MAX_SEEN);
    this.#seen.set(member, { ticket, all });
    this.#tell(member, toTell(all));
  }

  #tell(member: Member, addresses: readonly UdpAddress[]): void {
    const isSame = addresses.length === member.observed.length;
    if (isSame && addresses.every((address) => member.observed.some((each) => sameAddress(each, address)))) return;
    member.observed = addresses;
    this.#options.onObserved(member);
  }

  #revoke(ticket: Ticket): void {
    this.#responder.revoke(ticket);
    this.#bearers.delete(ticket);
  }
}

/**
 * The second port is asked from passing sockets too, to learn how a NAT gives out ports: of a family that the first one sees, what that one
 * sees is where a member may be reached.
 */
function toTell(all: readonly Seen[]): readonly UdpAddress[] {
  const first = all.filter(({ listener }) => listener === 0).map(({ address }) => address);
  const families = new Set(first.map(({ ip }) => familyOf(ip)));
  const others = all.filter(({ address, listener }) => listener > 0 && !families.has(familyOf(address.ip)));
  const told = [...first, ...others.map(({ address }) => address)];
  return told.filter((each, index) => told.findIndex((one) => sameAddress(one, each)) === index).slice(-MAX_ADDRESSES);
}
