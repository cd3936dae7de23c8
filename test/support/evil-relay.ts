import type { ServerWebSocket } from "bun";
import { equalBytes, toHex } from "../../src/wire/bytes.ts";
import type { Random } from "../../src/wire/core.ts";
import { WireError } from "../../src/wire/errors.ts";
import { relay } from "../../src/wire/messages/relay.ts";
import { legProof } from "../../src/wire/relay/leg-proof.ts";
import type { EvilUdpRelay } from "./evil-udp-relay.ts";

/** What a WebSocket of a server of ours leads to. */
export interface Door {
  opened(socket: ServerWebSocket<Door>): void;
  received(bytes: Uint8Array): void;
  closed(): void;
}

/** The right of one end to bind a leg. */
export interface Ticket {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly session: string;
  readonly name: string;
  /** For what comes before the other end has bound a leg. */
  readonly byChannel: (body: Uint8Array) => void;
}

const random: Random = (length) => crypto.getRandomValues(new Uint8Array(length));

/**
 * Relay legs as PROTOCOL.md §8 has them, on real WebSockets, with nobody's good in mind: what becomes of each body `onBody` decides. It
 * knows no more than any relay: sealed packets, and whose leg they came over.
 */
export class EvilRelay {
  /** Off until it is switched on: then a server can only say that it does not relay. */
  isOpen = false;
  /** Where the same legs are to be had over UDP. */
  udp: EvilUdpRelay | null = null;
  onBody: (body: Uint8Array, from: RelayEnd) => void = (body, from) => from.pass(body);
  /** Bound, the newest of each leg. */
  readonly ends = new Map<string, RelayEnd>();
  readonly #tickets = new Map<string, Ticket>();

  ticketFor(session: Uint8Array, name: string, byChannel: (body: Uint8Array) => void): Ticket {
    const known = [...this.#tickets.values()].find((each) => each.name === name && each.session === toHex(session));
    const ticket = known ?? { id: random(16), key: random(32), session: toHex(session), name, byChannel };
    if (known === undefined) this.udp?.add(ticket);
    this.#tickets.set(toHex(ticket.id), ticket);
    return ticket;
  }

  /** A WebSocket on which somebody may bind a leg. */
  door(): Door {
    const nonce = random(32);
    const state: { socket: ServerWebSocket<Door> | null; end: RelayEnd | null } = { socket: null, end: null };
    return {
      opened: (socket) => {
        state.socket = socket;
        socket.sendBinary(relay.encode({ kind: "challenge", nonce }));
      },
      received: (bytes) => {
        if (state.end !== null) this.onBody(bytes, state.end);
        else if (state.socket !== null) state.end = this.#bound(state.socket, nonce, bytes);
      },
      closed: () => {
        const { end } = state;
        if (end !== null && this.ends.get(end.leg) === end) this.ends.delete(end.leg);
      },
    };
  }

  /** The end at the far side of the same session, once it is there. */
  otherOf(end: RelayEnd): RelayEnd | null {
    return [...this.ends.values()].find((each) => each !== end && each.session === end.session) ?? null;
  }

  #bound(socket: ServerWebSocket<Door>, nonce: Uint8Array, bytes: Uint8Array): RelayEnd | null {
    try {
      const message = relay.decode(bytes);
      const ticket = message.kind === "bind" ? this.#tickets.get(toHex(message.leg)) : undefined;
      if (message.kind !== "bind" || ticket === undefined) throw new WireError("bad-message", "no such leg");
      if (!equalBytes(message.mac, legProof(ticket.key, nonce, ticket.id)))
        throw new WireError("bad-message", "not its key");
      const end = new RelayEnd(this, ticket, socket);
      this.ends.set(end.leg, end);
      socket.sendBinary(relay.encode({ kind: "bound" }));
      return end;
    } catch {
      socket.close();
      return null;
    }
  }
}

export class RelayEnd {
  readonly leg: string;
  readonly session: string;
  /** Whose it is. */
  readonly name: string;
  readonly #relay: EvilRelay;
  readonly #ticket: Ticket;
  readonly #socket: ServerWebSocket<Door>;

  constructor(of: EvilRelay, ticket: Ticket, socket: ServerWebSocket<Door>) {
    this.leg = toHex(ticket.id);
    this.session = ticket.session;
    this.name = ticket.name;
    this.#relay = of;
    this.#ticket = ticket;
    this.#socket = socket;
  }

  /** To the other end, as an honest relay does. */
  pass(body: Uint8Array): void {
    const other = this.#relay.otherOf(this);
    if (other === null) this.#ticket.byChannel(body);
    else other.send(body);
  }

  /** Out of this leg, whatever it is. */
  send(body: Uint8Array): void {
    this.#socket.sendBinary(body);
  }
}
