import { WireError } from "../../../wire/errors.ts";
import type { TransferBulk, TransferEntry } from "../../../wire/messages/transfer.ts";
import type { FileSummary } from "../../cli/events.ts";
import type { ByteReader } from "../peer-session.ts";
import { writeFailure } from "./failure.ts";
import { binaryOf } from "../../../wire/codec/binaries.ts";
import { BulkInput } from "./message-stream.ts";
import { checkEntry, FIRST_NAMES, type OfferMessage, summaryOf } from "./offer.ts";
import { openPrivateFile, type PrivateFile, readFully, writeFully } from "./private-file.ts";

/** Pages beyond this wait on disk, so that a list of a million names costs no memory. Bytes. */
const HELD_BYTES = 1_048_576;

/** The list of an offer as it comes in, checked against the offer's header. Entries are read back in order. */
export class EntryList implements AsyncDisposable {
  readonly #offer: OfferMessage;
  readonly #first: FileSummary[] = [];
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #spool: PrivateFile | null = null;
  #spooledBytes = 0;
  #count = 0;
  #bytes = 0;

  constructor(offer: OfferMessage) {
    this.#offer = offer;
  }

  /** The first 50. */
  get first(): readonly FileSummary[] {
    return this.#first;
  }

  /** Of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * @param message the page as it came
   * @throws WireError when the page does not continue the list, or breaks what the header promised
   */
  async add(page: TransferBulk, message: Uint8Array): Promise<void> {
    if (page.kind !== "page" || page.first !== this.#count || page.entries.length === 0)
      throw new WireError("bad-message", "a page does not continue the list");
    for (const entry of page.entries) this.#take(entry);
    await this.#keep(binaryOf(message));
  }

  /** @throws WireError when the list is not all that the header promised */
  complete(): void {
    if (this.#count !== this.#offer.count || this.#bytes !== this.#offer.bytes)
      throw new WireError("bad-message", "a list ended before all was there");
  }

  async *entries(): AsyncGenerator<TransferEntry> {
    const input = new BulkInput(this.#pieces());
    for (let page = await input.next(); page !== null; page = await input.next())
      if (page.kind === "page") yield* page.entries;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool?.[Symbol.asyncDispose]();
  }

  #take(entry: TransferEntry): void {
    checkEntry(entry);
    this.#check(entry, this.#offer.first[this.#count]);
    this.#count += 1;
    this.#bytes += entry.bytes;
    if (this.#count > this.#offer.count || this.#bytes > this.#offer.bytes)
      throw new WireError("bad-message", "a list is longer than its offer said");
    if (this.#first.length < FIRST_NAMES) this.#first.push(summaryOf(entry));
  }

  /** What the header showed, perhaps to a person already, is what the list holds. */
  #check(entry: TransferEntry, shown: FileSummary | undefined): void {
    const summary = summaryOf(entry);
    if (shown !== undefined && (shown.name !== summary.name || shown.bytes !== summary.bytes))
      throw new WireError("bad-message", "a list differs from its offer");
  }

  async #keep(page: Uint8Array): Promise<void> {
    this.#held.push(page);
    this.#heldBytes += page.length;
    if (this.#heldBytes < HELD_BYTES) return;
    try {
      await this.#spoolHeld();
    } catch (error) {
      throw writeFailure("cannot keep the list of an offer", error);
    }
  }

  async #spoolHeld(): Promise<void> {
    this.#spool ??= await openPrivateFile();
    for (const held of this.#held) {
      await writeFully(this.#spool.handle, held, this.#spooledBytes);
      this.#spooledBytes += held.length;
    }
    this.#held = [];
    this.#heldBytes = 0;
  }

  #pieces(): ByteReader {
    const held = this.#held.values();
    let at = 0;
    return {
      read: async () => {
        if (this.#spool === null || at === this.#spooledBytes) return held.next().value ?? null;
        const piece = new Uint8Array(Math.min(65_536, this.#spooledBytes - at));
        at += await readFully(this.#spool.handle, piece, at);
        return piece;
      },
      consumed: () => undefined,
      stop: () => undefined,
    };
  }
}
