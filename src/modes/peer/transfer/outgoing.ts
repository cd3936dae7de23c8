import { toHex } from "../../../wire/bytes.ts";
import { WireError } from "../../../wire/errors.ts";
import type { TransferBulk, TransferControl } from "../../../wire/messages/transfer.ts";
import { RootBuilder } from "../../../wire/tree/block-tree.ts";
import type { UserError } from "../../cli/errors.ts";
import type { ByteWriter } from "../peer-session.ts";
import { readBlocks } from "./block-source.ts";
import { toldFailure } from "./failure.ts";
import { Fate } from "./fate.ts";
import { SendingLimit } from "./limit.ts";
import type { TransferLink } from "./link.ts";
import { framed } from "./message-stream.ts";
import { FIRST_NAMES, pagesOf, summaryOf } from "./offer.ts";
import { entryOf, type LocalFile, type Shipment } from "./prepare.ts";
import { Progress } from "./progress.ts";

/** One sending of files to one person, from the offer to their disk. */
export class Outgoing {
  readonly fate: Fate;
  readonly #link: TransferLink;
  readonly #files: readonly LocalFile[];
  readonly #action: string;
  readonly #skipped = new Set<number>();
  /** In hex, of the files that were sent whole and are not yet reported as saved. */
  readonly #roots = new Map<number, string>();
  readonly #accepted = Promise.withResolvers<void>();
  readonly #received = Promise.withResolvers<void>();
  #state: "offered" | "accepted" | "sent" = "offered";

  constructor(link: TransferLink, shipment: Shipment) {
    this.#link = link;
    this.#files = shipment.files;
    this.#action = `cannot send the files to ${link.session.peer}`;
    this.fate = new Fate(this.#action);
  }

  /** Resolves when the other end has confirmed every file. @throws UserError what ended it, told to the other end too */
  async run(): Promise<void> {
    try {
      await this.fate.survive(Promise.resolve()); // it may have been cancelled already
      await this.fate.survive(this.#offer());
      await this.fate.survive(this.#accepted.promise);
      const acceptedAtMs = this.#link.now();
      const limit = new SendingLimit(this.#link.session, this.#link.now);
      this.#link.emit({ event: "accepted" });
      await this.#sendData();
      limit.allSent();
      await this.fate.survive(this.#received.promise);
      const seconds = Math.round(this.#link.now() - acceptedAtMs) / 1_000;
      this.#link.emit({ event: "sent", bytes: this.#bytes, seconds, limitedBy: limit.verdict });
    } catch (error) {
      throw this.#ended(this.fate.fail(error));
    }
  }

  /** What the other end says of this transfer. */
  handle(message: TransferControl): void {
    const isWelcome = this.#handle(message);
    if (!isWelcome) this.fate.fail(new WireError("bad-message", `${message.kind} came out of turn`));
  }

  #handle(message: TransferControl): boolean {
    switch (message.kind) {
      case "skip":
        return this.#skip(message.entry);
      case "accept":
        return this.#accept();
      case "decline":
      case "cancel":
        this.fate.fail(toldFailure(this.#action, message.code), true);
        return true;
      case "saved":
        return this.#roots.get(message.entry) === toHex(message.root) && this.#roots.delete(message.entry);
      case "received":
        return this.#confirm();
      case "offer":
        break;
    }
    return false;
  }

  #skip(entry: number): boolean {
    if (this.#state !== "offered" || entry >= this.#files.length) return false;
    this.#skipped.add(entry);
    return true;
  }

  #accept(): boolean {
    if (this.#state !== "offered") return false;
    this.#state = "accepted";
    this.#accepted.resolve();
    return true;
  }

  #confirm(): boolean {
    if (this.#state !== "sent" || this.#roots.size > 0) return false;
    this.#received.resolve();
    return true;
  }

  async #offer(): Promise<void> {
    const { transfer, session } = this.#link;
    const count = this.#files.length;
    const bytes = this.#files.reduce((sum, file) => sum + file.bytes, 0);
    const first = this.#files.slice(0, FIRST_NAMES).map((file) => summaryOf(entryOf(file)));
    this.#link.emit({ event: "offer", to: session.peer, count, bytes, files: first });
    await this.#link.say({ kind: "offer", transfer, count, bytes, first });
    const writer = this.#openBulk();
    await this.#write(writer, { kind: "pagesOf", transfer });
    for (const page of pagesOf(this.#files.values().map(entryOf))) await this.#write(writer, page);
    await writer.finish();
  }

  async #sendData(): Promise<void> {
    const writer = this.#openBulk();
    const progress = new Progress(this.#bytes, this.#link.now, (figures) =>
      this.#link.emit({ event: "progress", ...figures }),
    );
    await this.#write(writer, { kind: "dataOf", transfer: this.#link.transfer });
    for (const [entry, file] of this.#files.entries())
      if (!this.#skipped.has(entry)) await this.#sendFile(writer, entry, file, progress);
    this.#state = "sent";
    await this.fate.survive(writer.finish());
  }

  async #sendFile(writer: ByteWriter, entry: number, file: LocalFile, progress: Progress): Promise<void> {
    const tree = new RootBuilder();
    let index = 0;
    for await (const { bytes, hash } of readBlocks(file)) {
      tree.add(hash);
      await this.#write(writer, { kind: "block", entry, index, bytes: bytes.length, hash });
      await this.fate.survive(writer.write(bytes));
      progress.moved(file.name, bytes.length);
      index += 1;
    }
    const root = tree.root();
    this.#roots.set(entry, toHex(root));
    await this.#write(writer, { kind: "end", entry, bytes: file.bytes, root });
  }

  #openBulk(): ByteWriter {
    const writer = this.#link.session.openBulk();
    this.fate.signal.addEventListener("abort", () => writer.reset(this.fate.code), { once: true });
    return writer;
  }

  #write(writer: ByteWriter, message: TransferBulk): Promise<void> {
    return this.fate.survive(writer.write(framed(message)));
  }

  get #bytes(): number {
    return this.#files.reduce((sum, file, entry) => (this.#skipped.has(entry) ? sum : sum + file.bytes), 0);
  }

  /** Tells the other end, unless it told us. Not awaited: it may have stopped listening. */
  #ended(failure: UserError): UserError {
    const { transfer } = this.#link;
    if (!this.fate.isKnownThere)
      this.#link.say({ kind: "cancel", transfer, code: this.fate.code }).catch(() => undefined);
    return failure;
  }
}
