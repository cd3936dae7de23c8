import { WireError } from "../../../wire/errors.ts";
import { MAX_PAGE_ENTRIES, MAX_TRANSFER_ENTRIES } from "../../../wire/limits.ts";
import type { TransferBulk, TransferControl, TransferEntry } from "../../../wire/messages/transfer.ts";
import type { FileSummary } from "../../cli/events.ts";

export type OfferMessage = TransferControl & { kind: "offer" };
type Page = TransferBulk & { kind: "page" };

/** How many names the header of an offer shows. */
export const FIRST_NAMES = 50;
/** UTF-8 bytes of one name on the wire. */
export const MAX_NAME_BYTES = 255;
/** UTF-8 bytes of a path with a separator between its parts. */
const MAX_PATH_BYTES = 4_096;
/** Block indexes have 32 bits. Bytes. */
export const MAX_FILE_BYTES = 2 ** 52;
/** Well below what a page may have, the heads of its elements counted. Bytes. */
const PAGE_BYTES = 200_000;
const ENTRY_OVERHEAD_BYTES = 24;

/** What is shown of an entry. */
export function summaryOf(entry: TransferEntry): FileSummary {
  return { name: entry.path.join("/"), bytes: entry.bytes };
}

/** The pages of a list, each within the limits of the wire. */
export function* pagesOf(entries: Iterable<TransferEntry>): Generator<Page> {
  let page: TransferEntry[] = [];
  let bytes = 0;
  let first = 0;
  for (const entry of entries) {
    const entryBytes = pathBytes(entry) + ENTRY_OVERHEAD_BYTES * entry.path.length;
    if (page.length === MAX_PAGE_ENTRIES || bytes + entryBytes > PAGE_BYTES) {
      yield { kind: "page", first, entries: page };
      first += page.length;
      [page, bytes] = [[], 0];
    }
    page.push(entry);
    bytes += entryBytes;
  }
  if (page.length > 0) yield { kind: "page", first, entries: page };
}

/** @throws WireError when the header alone says that this cannot be received */
export function checkHeader(offer: OfferMessage): void {
  if (offer.count === 0) throw new WireError("bad-message", "an offer of nothing");
  if (offer.count > MAX_TRANSFER_ENTRIES) throw new WireError("too-large", "an offer of too many entries");
  if (offer.first.length !== Math.min(offer.count, FIRST_NAMES))
    throw new WireError("bad-message", "names are missing in an offer");
}

/**
 * @throws WireError for an entry that can be nobody's file
 * @throws WireError `unknown-type` for folders and what lies in them
 */
export function checkEntry(entry: TransferEntry): void {
  if (entry.path.length === 0) throw new WireError("bad-message", "an entry without a name");
  if (pathBytes(entry) > MAX_PATH_BYTES) throw new WireError("bad-message", "a path of too many bytes");
  if (entry.kind !== "file" || entry.path.length > 1) throw new WireError("unknown-type", "folders are not taken");
  if (entry.bytes > MAX_FILE_BYTES) throw new WireError("too-large", "a file of too many bytes");
}

function pathBytes(entry: TransferEntry): number {
  return entry.path.reduce((sum, name) => sum + Buffer.byteLength(name) + 1, -1);
}
