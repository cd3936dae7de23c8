import { toHex } from "../../../wire/bytes.ts";
import type { Random } from "../../../wire/core.ts";
import { WireError } from "../../../wire/errors.ts";
import { transferControl, type TransferControl } from "../../../wire/messages/transfer.ts";
import type { TransferEvent } from "../../cli/events.ts";
import { UserError } from "../../cli/errors.ts";
import type { ByteReader, PeerSession } from "../peer-session.ts";
import type { Inbox } from "./inbox.ts";
import { Incoming } from "./incoming.ts";
import type { BareEvent, TransferLink } from "./link.ts";
import { BulkInput } from "./message-stream.ts";
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
/** Streams of the other end that wait: for their first message, or for the offer that they belong to, which may come later. */
const MAX_WAITING = 16;

/** The files of one session, both ways: PROTOCOL.md §9.3 and §9.4. It takes the session's control port and its bulk streams. */
export class Transfers {
  readonly #session: PeerSession;
  readonly #options: TransfersOptions;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, Incoming>();
  readonly #running = new Set<Promise<void>>();
  readonly #remembered = new Set<string>();
  /** Lists that came before their offers. */
  readonly #early = new Map<string, BulkInput>();
  #unnamedStreams = 0;

  constructor(session: PeerSession, options: TransfersOptions) {
    this.#session = session;
    this.#options = options;
    session.control.onMessage((bytes) => this.#heard(transferControl.decode(bytes)));
    session.onBulk((stream) => void this.#opened(stream));
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

  /** Resolves when nothing is offered or under way, either way. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /** Ends whatever is under way, leaves no partial file, and resolves when that is done. */
  async cancel(reason: UserError): Promise<void> {
    this.#failAll(reason, false);
    await this.idle();
  }

  #heard(message: TransferControl): void {
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
    this.#handOver(id, incoming);
    // What it rejects with is its failure.
    await incoming.run().catch(() => undefined);
    this.#incoming.delete(id);
    giveBack(incoming.isWithdrawn);
    inbox.onEnd({ id, from: this.#session.peer, error: incoming.fate.failure });
  }

  #handOver(id: string, incoming: Incoming): void {
    const pages = this.#early.get(id);
    this.#early.delete(id);
    if (pages !== undefined) incoming.takeStream("pagesOf", pages);
  }

  #decline(offer: OfferMessage, code: "no-answer" | "limited"): void {
    const id = toHex(offer.transfer);
    this.#early.get(id)?.stop(code);
    this.#early.delete(id);
    this.#say({ kind: "decline", transfer: offer.transfer, code }).catch(() => undefined);
  }

  /** Never rejects: a stream that makes no sense is stopped. */
  async #opened(stream: ByteReader): Promise<void> {
    if (this.#unnamedStreams + this.#early.size >= MAX_WAITING) return stream.stop("limited");
    const input = new BulkInput(stream);
    this.#unnamedStreams += 1;
    try {
      const head = await input.next();
      if (head?.kind !== "pagesOf" && head?.kind !== "dataOf")
        throw new WireError("bad-message", "a stream of nothing");
      this.#named(toHex(head.transfer), head.kind, input);
    } catch {
      stream.stop("bad-message");
    } finally {
      this.#unnamedStreams -= 1;
    }
  }

  #named(id: string, kind: "pagesOf" | "dataOf", input: BulkInput): void {
    const incoming = this.#incoming.get(id);
    if (incoming !== undefined) return incoming.takeStream(kind, input);
    // The offer travels on another stream and may be behind; data waits for our word and cannot be ahead.
    if (kind === "dataOf" || this.#remembered.has(id) || this.#early.has(id)) return input.stop("cancelled");
    this.#early.set(id, input);
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

  #say(message: TransferControl): Promise<void> {
    return this.#session.control.send(transferControl.encode(message));
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
    for (const input of this.#early.values()) input.stop("cancelled");
    this.#early.clear();
  }
}
