import { toHex } from "../../../wire/bytes.ts";
import { WireError } from "../../../wire/errors.ts";
import type { TransferControl, TransferEntry } from "../../../wire/messages/transfer.ts";
import { UserError } from "../../cli/errors.ts";
import type { StreamKind } from "./arrivals.ts";
import { EntryList } from "./entry-list.ts";
import { toldFailure } from "./failure.ts";
import { Fate } from "./fate.ts";
import { receiveFile } from "./file-receiver.ts";
import type { Inbox } from "./inbox.ts";
import { ReceivingLimit } from "./limit.ts";
import type { TransferLink } from "./link.ts";
import { localName } from "./local-name.ts";
import type { BulkInput } from "./message-stream.ts";
import { checkHeader, type OfferMessage, summaryOf } from "./offer.ts";
import { PartialFile } from "./partial-file.ts";
import { checkRoom, type Plan, planFor } from "./plan.ts";
import { Progress } from "./progress.ts";

/** One receiving of files from one person, from the offer to this disk. */
export class Incoming {
  readonly fate: Fate;
  readonly #link: TransferLink;
  readonly #offer: OfferMessage;
  readonly #inbox: Inbox;
  readonly #action: string;
  readonly #pages = Promise.withResolvers<BulkInput>();
  readonly #data = Promise.withResolvers<BulkInput>();
  readonly #streams = new Set<StreamKind>();
  #isAccepted = false;
  #isWithdrawn = false;

  constructor(link: TransferLink, offer: OfferMessage, inbox: Inbox) {
    this.#link = link;
    this.#offer = offer;
    this.#inbox = inbox;
    this.#action = `cannot receive the files of ${link.session.peer}`;
    this.fate = new Fate(this.#action);
  }

  /** The other end took it back before it was accepted. */
  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  /** Resolves when every file is saved and that is said. @throws UserError what ended it, told to the other end too */
  async run(): Promise<void> {
    try {
      checkHeader(this.#offer);
      await using list = new EntryList(this.#offer);
      await this.#collect(list);
      const plan = await this.#agree(list);
      await this.#receive(list, plan);
    } catch (error) {
      throw this.#ended(this.fate.fail(error));
    }
  }

  /** What the other end says of this transfer: here only that it takes it back. */
  handle(message: TransferControl & { kind: "cancel" }): void {
    this.#isWithdrawn = !this.#isAccepted;
    this.fate.fail(toldFailure(this.#action, message.code), true);
  }

  /** A bulk stream that began by naming this transfer. */
  takeStream(kind: StreamKind, input: BulkInput): void {
    const stop = () => input.stop(this.fate.code);
    if (this.fate.failure !== null) return stop();
    this.fate.signal.addEventListener("abort", stop, { once: true });
    if (this.#streams.has(kind) || (kind === "dataOf" && !this.#isAccepted))
      return void this.fate.fail(new WireError("bad-message", "a stream came out of turn"));
    this.#streams.add(kind);
    (kind === "pagesOf" ? this.#pages : this.#data).resolve(input);
  }

  async #collect(list: EntryList): Promise<void> {
    const input = await this.fate.survive(this.#pages.promise);
    for (;;) {
      const page = await this.fate.survive(input.next());
      if (page === null) break;
      await list.add(page, input.message);
      input.consumed(input.taken());
    }
    list.complete();
  }

  /** @returns what is going to come, once this side has said yes to it. @throws UserError when it says no */
  async #agree(list: EntryList): Promise<Plan> {
    const { id, transfer, session } = this.#link;
    const { count, bytes } = this.#offer;
    this.#link.emit({ event: "offer", from: session.peer, count, bytes, files: list.first });
    const plan = await planFor(list, this.#inbox, this.#action);
    await checkRoom(plan, this.#inbox, this.#action);
    const offer = { id, from: session.peer, count: count - plan.skipped.size, bytes: plan.bytes, files: list.first };
    const decision = await this.fate.survive(this.#inbox.decide(offer, this.fate.signal));
    if (decision === "decline") throw new UserError("declined", `${this.#action}: they were declined here`);
    for (const entry of plan.skipped) await this.fate.survive(this.#link.say({ kind: "skip", transfer, entry }));
    this.#isAccepted = true;
    await this.fate.survive(this.#link.say({ kind: "accept", transfer }));
    this.#link.emit({ event: "accepted" });
    return plan;
  }

  async #receive(list: EntryList, plan: Plan): Promise<void> {
    const startedAtMs = this.#link.now();
    const limit = new ReceivingLimit(this.#link.now);
    const progress = new Progress(plan.bytes, this.#link.now, (figures) =>
      this.#link.emit({ event: "progress", ...figures }),
    );
    const input = await this.fate.survive(this.#data.promise);
    let index = 0;
    for await (const entry of list.entries()) {
      if (!plan.skipped.has(index)) await this.#receiveOne(input, index, entry, plan.taken, { progress, limit });
      index += 1;
    }
    if ((await this.fate.survive(input.next())) !== null)
      throw new WireError("bad-message", "more came than was announced");
    await this.fate.survive(this.#link.say({ kind: "received", transfer: this.#link.transfer }));
    const seconds = Math.round(this.#link.now() - startedAtMs) / 1_000;
    this.#link.emit({ event: "received", bytes: plan.bytes, seconds, limitedBy: limit.verdict });
  }

  async #receiveOne(
    input: BulkInput,
    index: number,
    entry: TransferEntry,
    taken: Set<string>,
    { progress, limit }: { readonly progress: Progress; readonly limit: ReceivingLimit },
  ): Promise<void> {
    const { name } = summaryOf(entry);
    const partial = await PartialFile.create(this.#inbox.folder, this.#link.id, index, entry.bytes);
    try {
      const onWritten = (bytes: number) => progress.moved(name, bytes);
      const expected = { entry: index, bytes: entry.bytes, partial, onWritten, fate: this.fate, limit };
      const root = await receiveFile(input, expected);
      const path = await limit.disk(partial.publish(localName(entry.path.at(-1) ?? ""), taken));
      this.#link.emit({ event: "saved", name, path, bytes: entry.bytes, hash: toHex(root) });
      await this.fate.survive(this.#link.say({ kind: "saved", transfer: this.#link.transfer, entry: index, root }));
    } finally {
      await partial.discard();
    }
  }

  /** Tells the other end, unless it told us. Not awaited: it may have stopped listening. */
  #ended(failure: UserError): UserError {
    const { transfer } = this.#link;
    const kind = this.#isAccepted ? "cancel" : "decline";
    if (!this.fate.isKnownThere) this.#link.say({ kind, transfer, code: this.fate.code }).catch(() => undefined);
    return failure;
  }
}
