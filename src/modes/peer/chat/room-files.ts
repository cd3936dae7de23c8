import type { Random } from "../../../wire/core.ts";
import { UserError } from "../../cli/errors.ts";
import type { TransferEvent } from "../../cli/events.ts";
import { renderEvent } from "../../cli/render.ts";
import { describeError } from "../../cli/report.ts";
import type { PeerSession } from "../peer-session.ts";
import { offerLines, offerSum } from "../prompts/offer-lines.ts";
import type { Inbox, IncomingEnd, IncomingOffer } from "../transfer/inbox.ts";
import { prepare } from "../transfer/prepare.ts";
import { Transfers } from "../transfer/transfers.ts";
import type { Question } from "./questions.ts";

/** Where and whether files are taken. */
export interface FilePolicy extends Pick<Inbox, "folder" | "conflict" | "maxBytes" | "places"> {
  readonly consent: "ask" | "accept" | "decline";
  /** What the person has said yes to already, when the other rang: that is taken in any case. */
  readonly agreed?: { readonly count: number; readonly bytes: number };
}

/** Whoever shows what becomes of files. Texts may hold what others wrote: they are cleaned where they are drawn. */
export interface FilesFace {
  note(text: string): void;
  /** One line that the next one replaces; "" for none. */
  progress(text: string): void;
  ask(question: Question, signal: AbortSignal): Promise<boolean | null>;
}

/** Names in an offer take part of a row only. Columns. */
const NAME_COLUMNS = 72;

/** The files of a session with a person in front of it. */
export class RoomFiles {
  readonly #transfers: Transfers;
  readonly #face: FilesFace;
  readonly #policy: FilePolicy;
  readonly #moving = new Set<string>();
  readonly #firstEnd = Promise.withResolvers<void>();
  #agreed: FilePolicy["agreed"];
  #sends = 0;

  constructor(session: PeerSession, policy: FilePolicy, face: FilesFace, random: Random) {
    this.#face = face;
    this.#policy = policy;
    this.#agreed = policy.agreed;
    const { folder, conflict, maxBytes, places } = policy;
    const decide = (offer: IncomingOffer, signal: AbortSignal) => this.#decide(offer, signal);
    const inbox = { folder, conflict, maxBytes, places, decide, onEnd: (end: IncomingEnd) => this.#ended(end) };
    this.#transfers = new Transfers(session, { inbox, random, onEvent: (event) => this.#show(event) });
  }

  /** Something was accepted and has not arrived yet, either way. */
  get isBusy(): boolean {
    return this.#sends > 0 || this.#moving.size > 0;
  }

  /** Resolves when something offered by the other end has arrived, or will not. */
  get firstEnd(): Promise<void> {
    return this.#firstEnd.promise;
  }

  /** Offers files; what becomes of it is shown. Never rejects. */
  async send(paths: readonly string[]): Promise<void> {
    this.#sends += 1;
    try {
      await using shipment = await prepare(paths);
      await this.#transfers.send(shipment);
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#sends -= 1;
      this.#face.progress("");
    }
  }

  idle(): Promise<void> {
    return this.#transfers.idle();
  }

  cancel(reason: Parameters<Transfers["cancel"]>[0]): Promise<void> {
    return this.#transfers.cancel(reason);
  }

  async #decide(offer: IncomingOffer, signal: AbortSignal): Promise<"accept" | "decline"> {
    const { consent } = this.#policy;
    const isAgreed = this.#agreed?.count === offer.count && this.#agreed.bytes === offer.bytes;
    this.#agreed = undefined;
    if (!isAgreed) this.#tellOffer(offer);
    const decision = isAgreed ? "accept" : consent === "ask" ? await this.#ask(offer, signal) : consent;
    if (decision === "accept") this.#moving.add(offer.id);
    return decision;
  }

  async #ask(offer: IncomingOffer, signal: AbortSignal): Promise<"accept" | "decline"> {
    const prompt = `save ${offerSum(offer)} of ${offer.from} in ${this.#policy.folder.path}?`;
    const yes = await this.#face.ask({ prompt, fallback: true }, signal);
    return yes === true ? "accept" : "decline";
  }

  #tellOffer(offer: IncomingOffer): void {
    this.#face.note(`${offer.from} offers ${offerSum(offer)}`);
    for (const line of offerLines(offer, NAME_COLUMNS)) this.#face.note(`  ${line}`);
  }

  #show(event: TransferEvent): void {
    // Told when it is decided about, name by name.
    if (event.event === "offer" && event.from !== undefined) return;
    for (const { to, text } of renderEvent(event)) {
      if (to === "status") this.#face.progress(text);
      else if (to !== "detail") this.#face.note(text);
    }
  }

  #ended({ id, error }: IncomingEnd): void {
    this.#moving.delete(id);
    this.#face.progress("");
    this.#firstEnd.resolve();
    if (error !== null && error.code !== "declined") this.#fail(error);
  }

  /** Nobody needs to be told of what they called off themselves. */
  #fail(error: unknown): void {
    if (error instanceof UserError && error.code === "cancelled" && error.side === "local") return;
    const { message, hint } = describeError(error, false);
    this.#face.note(`${message}; ${hint}`);
  }
}
