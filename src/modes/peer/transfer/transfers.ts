import { toHex } from "../../../wire/bytes.ts";
import type { Random } from "../../../wire/core.ts";
import { WireError } from "../../../wire/errors.ts";
import { transferControl, type TransferControl } from "../../../wire/messages/transfer.ts";
import type { TransferEvent } from "../../cli/events.ts";
import { UserError } from "../../cli/errors.ts";
import type { PeerSession } from "../peer-session.ts";
import { Arrivals } from "./arrivals.ts";
import type { Inbox } from "./inbox.ts";
import { Incoming } from "./incoming.ts";
import type { BareEvent, TransferLink } from "./link.ts";
import type { OfferMessage } from "./offer.ts";
import { Outgoing } from "./outgoing.ts";
import type { Shipment } from "./prepare.ts";

export interface TransfersOptions {
  /** What `--json` prints and the screen shows. Names in it are remote text. May not throw. */
  readonly onEvent: (event: TransferEvent) => void;
  /** Null: whatever is offered is declined. */
  readonly inbox: Inbox | null;
  readonly random: Random;
  /** Monotonic. Milliseconds. */
  readonly now?: () => number;
}

/** Transfer ids that are remembered after their end, so that none is used again. */
const MAX_REMEMBERED = 1_000;
/** Messages that wait because the other end does not read: more than any transfer has. */
const MAX_UNSENT = 256;

/** The files of one session, both ways: PROTOCOL.md §9.3 to §9.6. It takes the session's control port and its bulk streams. */
export class Transfers {
  readonly #session: PeerSession;
  readonly #options: TransfersOptions;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, Incoming>();
  readonly #running = new Set<Promise<void>>();
  readonly #remembered = new Set<string>();
  readonly #arrivals: Arrivals;
  #unsent = 0;

  constructor(session: PeerSession, options: TransfersOptions) {
    this.#session = session;
    this.#options = options;
    this.#arrivals = new Arrivals({
      taker: (id) => this.#incoming.get(id) ?? null,
      isPast: (id) => this.#remembered.has(id),
    });
    // Last, because what came early is handed over at once.
    session.control.onMessage((bytes) => this.#heard(transferControl.decode(bytes)));
    session.onBulk((stream) => void this.#arrivals.opened(stream));
    void session.ended.then((end) =>
      this.#failAll(new UserError(end.code, `the transfer broke off: ${end.reason}`, { side: end.side }), true),
    );
  }

  /**
   * Offers the files, and resolves when the other end has confirmed every one of them.
   * @param signal its reason, a UserError, ends the transfer
   * @throws UserError what ended it
   */
  async send(shipment: Shipment, signal?: AbortSignal): Promise<void> {
    const transfer = this.#options.random(16);
    const outgoing = new Outgoing(this.#link(transfer), shipment);
    const cancel = () => outgoing.fate.fail(signal?.reason);
    this.#outgoing.set(toHex(transfer), outgoing);
    signal?.addEventListener("abort", cancel, { once: true });
    if (signal?.aborted === true) cancel();
    try {
      await this.#track(outgoing.run());
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#outgoing.delete(toHex(transfer));
    }
  }

  /** Something is offered or under way, either way. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when nothing is. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends whatever is under way, leaves no partial file, and resolves when that is done. */
  async cancel(reason: UserError): Promise<void> {
    this.#failAll(reason, false);
    await this.idle();
  }

  /** @throws WireError `limited`, which ends the session, when the other end asks and asks and reads no answer */
  #heard(message: TransferControl): void {
    if (this.#unsent > MAX_UNSENT) throw new WireError("limited", "the other end does not read what it is told");
    const id = toHex(message.transfer);
    if (message.kind === "offer") return this.#offered(id, message);
    const incoming = this.#incoming.get(id);
    if (message.kind === "cancel" && incoming !== undefined) return incoming.handle(message);
    // What is known no more has ended here while this was on its way.
    this.#outgoing.get(id)?.handle(message);
  }

  #offered(id: string, offer: OfferMessage): void {
    if (this.#outgoing.has(id) || this.#remembered.has(id)) return;
    this.#remember(id);
    const { inbox } = this.#options;
    const giveBack = inbox?.places.take(this.#session.peer);
    if (inbox === null || giveBack === undefined) return this.#decline(offer, "no-answer");
    if (giveBack === null) return this.#decline(offer, "limited");
    void this.#track(this.#receive(id, offer, inbox, giveBack));
  }

  async #receive(
    id: string,
    offer: OfferMessage,
    inbox: Inbox,
    giveBack: (isWithdrawn: boolean) => void,
  ): Promise<void> {
    const incoming = new Incoming(this.#link(offer.transfer), offer, inbox);
    this.#incoming.set(id, incoming);
    const pages = this.#arrivals.claim(id);
    if (pages !== null) incoming.takeStream("pagesOf", pages);
    // What it rejects with is its failure.
    await incoming.run().catch(() => undefined);
    this.#incoming.delete(id);
    giveBack(incoming.isWithdrawn);
    inbox.onEnd({ id, from: this.#session.peer, error: incoming.fate.failure });
  }

  #decline(offer: OfferMessage, code: "no-answer" | "limited"): void {
    this.#arrivals.claim(toHex(offer.transfer))?.stop(code);
    this.#say({ kind: "decline", transfer: offer.transfer, code }).catch(() => undefined);
  }

  #link(transfer: Uint8Array): TransferLink {
    const { id: session, peer } = this.#session;
    const id = toHex(transfer);
    return {
      session: this.#session,
      transfer,
      id,
      now: this.#options.now ?? (() => performance.now()),
      say: (message) => this.#say(message),
      emit: (event: BareEvent) => this.#options.onEvent({ ...event, peer, session, id }),
    };
  }

  async #say(message: TransferControl): Promise<void> {
    this.#unsent += 1;
    try {
      await this.#session.control.send(transferControl.encode(message));
    } finally {
      this.#unsent -= 1;
    }
  }

  async #track(work: Promise<void>): Promise<void> {
    const settled = work.catch(() => undefined);
    this.#running.add(settled);
    try {
      await work;
    } finally {
      this.#running.delete(settled);
    }
  }

  #remember(id: string): void {
    this.#remembered.add(id);
    if (this.#remembered.size > MAX_REMEMBERED)
      for (const oldest of this.#remembered.values().take(1)) this.#remembered.delete(oldest);
  }

  #failAll(error: UserError, isKnownThere: boolean): void {
    for (const transfer of [...this.#outgoing.values(), ...this.#incoming.values()])
      transfer.fate.fail(error, isKnownThere);
    this.#arrivals.stopAll("cancelled");
  }
}
