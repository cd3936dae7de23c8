import { type ErrorCode, WireError } from "../../wire/errors.ts";
import { purposes, type Purpose } from "../../wire/messages/signalling.ts";
import type { Trust } from "../cli/events.ts";
import { problemWithName } from "../cli/names.ts";
import { IncomingRing, type IncomingMessage } from "./answering.ts";
import type { Exchange } from "./asking.ts";
import type { Listening } from "./peer-node.ts";
import type { People } from "./people.ts";
import { isTrusted, trustIn } from "./trust.ts";

/** A ring that may be answered: the device is trusted, or its person is met for the first time. */
export interface Caller {
  readonly ring: IncomingRing;
  readonly purpose: Purpose;
  readonly trust: Trust;
}

export interface DoorwayEvents {
  /** May not throw. */
  onCaller(caller: Caller): void;
  /** Somebody known rings with a key that is not. May not throw. */
  onChangedKey(name: string): void;
}

/** Unanswered ones at a time: a server can make up as many as it likes. */
const MAX_RINGS = 32;

/** Who may ring here: devices whose keys are pinned, and people nobody here has met. */
export class Doorway {
  #listening: Listening | null = null;
  readonly #rings = new Set<IncomingRing>();
  readonly #exchange: Exchange;
  readonly #people: People;
  readonly #requireVerified: boolean;
  readonly #events: DoorwayEvents;

  /** @param requireVerified only devices whose numbers were compared may ring */
  constructor(exchange: Exchange, people: People, requireVerified: boolean, events: DoorwayEvents) {
    this.#exchange = exchange;
    this.#people = people;
    this.#requireVerified = requireVerified;
    this.#events = events;
  }

  open(listening: Listening): void {
    this.#listening = listening;
  }

  /** @throws UserError when the people on record cannot be read; the ring is declined then */
  rung(message: IncomingMessage): void {
    if (this.#isCrowded()) return this.#refuse(message, "no-answer");
    const ring = this.#opened(message);
    if (ring === null) return;
    this.#rings.add(ring);
    try {
      this.#judge(ring, message);
    } catch (error) {
      ring.decline("no-answer");
      throw error;
    }
  }

  #judge(ring: IncomingRing, message: IncomingMessage): void {
    const purpose = purposeOf(message.purpose);
    const person = this.#people.find(message.name);
    const trust = trustIn(person, message.device);
    const isKnown = person.devices.length === 0 || isTrusted(person, message.device);
    if (!isKnown && !person.blocked) this.#events.onChangedKey(message.name);
    const mayRing = isKnown && (!this.#requireVerified || trust === "verified");
    if (mayRing && purpose !== null && !person.blocked && this.#answers(purpose, message.name))
      this.#events.onCaller({ ring, purpose, trust });
    else ring.decline("no-answer");
  }

  /** A preview that does not open comes from nobody who could be named, and so does a name that is none: nothing is asked, nothing shown. */
  #opened(message: IncomingMessage): IncomingRing | null {
    try {
      if (problemWithName(message.name) !== null) throw new WireError("bad-message", "a ring under what is no name");
      return new IncomingRing(this.#exchange, message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#refuse(message, "bad-message");
      return null;
    }
  }

  #refuse({ session }: IncomingMessage, code: ErrorCode): void {
    this.#exchange.link.tell({ kind: "decline", session, code });
  }

  #isCrowded(): boolean {
    for (const ring of this.#rings) if (!ring.isOpen) this.#rings.delete(ring);
    return this.#rings.size >= MAX_RINGS;
  }

  #answers(purpose: Purpose, name: string): boolean {
    const listening = this.#listening;
    if (listening === null) return false;
    if (purpose === "ping") return true;
    return listening.answers.includes(purpose) && (listening.people.length === 0 || listening.people.includes(name));
  }
}

function purposeOf(bits: number): Purpose | null {
  const names = Object.keys(purposes) as Purpose[];
  return names.find((name) => purposes[name] === bits) ?? null;
}
