import type { FileSummary } from "../../cli/events.ts";
import type { UserError } from "../../cli/errors.ts";
import type { ReceivingFolder } from "./receiving-folder.ts";

/** What a person, or a flag in their place, decides about. Names are remote text. */
export interface IncomingOffer {
  /** 32 hex digits. */
  readonly id: string;
  readonly from: string;
  /** Without what is skipped because it is there already. */
  readonly count: number;
  readonly bytes: number;
  /** The first 50. */
  readonly files: readonly FileSummary[];
}

export interface IncomingEnd {
  readonly id: string;
  readonly from: string;
  /** Null: every file is saved. */
  readonly error: UserError | null;
}

/** Where and how this program takes files; one for all its sessions. */
export interface Inbox {
  readonly folder: ReceivingFolder;
  /** About a file whose name is taken: give it a number, leave it out, or decline the whole offer. */
  readonly conflict: "number" | "skip" | "refuse";
  /** Larger offers are declined without a question. Bytes; null: no limit. */
  readonly maxBytes: number | null;
  readonly places: OfferPlaces;
  /** Asked when the list is whole and fits. `signal` is aborted when the answer is no longer needed. */
  decide(offer: IncomingOffer, signal: AbortSignal): Promise<"accept" | "decline">;
  /** Once per offer that got a place. May not throw. */
  onEnd(end: IncomingEnd): void;
}

/** Offers and transfers of one person at a time. */
const MAX_OPEN = 5;
/** How long an offer that was taken back keeps its place, so that nobody can make the screen flicker with questions. Milliseconds. */
const WITHDRAWN_MS = 10_000;

/** Counts what each person has open here, over all their sessions. */
export class OfferPlaces {
  readonly #now: () => number;
  /** Per person the times until which places are taken; infinite while in use. */
  readonly #taken = new Map<string, number[]>();

  /** @param now monotonic, milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns what gives the place back; null when all are taken */
  take(peer: string): ((isWithdrawn: boolean) => void) | null {
    const live = (this.#taken.get(peer) ?? []).filter((untilMs) => untilMs > this.#now());
    if (live.length >= MAX_OPEN) return null;
    this.#taken.set(peer, [...live, Infinity]);
    return (isWithdrawn) => this.#giveBack(peer, isWithdrawn);
  }

  #giveBack(peer: string, isWithdrawn: boolean): void {
    const places = this.#taken.get(peer) ?? [];
    places.splice(places.indexOf(Infinity), 1, ...(isWithdrawn ? [this.#now() + WITHDRAWN_MS] : []));
    if (places.length === 0) this.#taken.delete(peer);
  }
}
