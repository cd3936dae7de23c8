import { bytes, list, oneOf, record, text, u32, u53 } from "../codec/fields.ts";
import { message, table, type AnyOf } from "../codec/schema.ts";
import { MAX_PAGE_ENTRIES, MAX_PATH_DEPTH } from "../limits.ts";

const transfer = bytes(16);
const hash = bytes(32);
const code = text(32);

const control = {
  offer: message(0x01, { transfer, count: u32, bytes: u53, first: list(record({ name: text(255), bytes: u53 }), 50) }), // sender
  accept: message(0x02, { transfer }), // receiver: the list is complete and wanted
  decline: message(0x03, { transfer, code }), // receiver
  saved: message(0x04, { transfer, entry: u32, root: hash }), // receiver: this file is under its final name on this disk
  received: message(0x05, { transfer }), // receiver: all are
  cancel: message(0x06, { transfer, code }), // either
  skip: message(0x07, { transfer, entry: u32 }), // receiver, before accept: this entry is not wanted
};

/** PROTOCOL.md §9.3. On the control stream. */
export const transferControl = table("transfer", control, 16_384);
export type TransferControl = AnyOf<typeof control>;

const entry = record({ path: list(text(255), MAX_PATH_DEPTH), kind: oneOf(["file", "folder"]), bytes: u53 });

const bulk = {
  /** First on a stream that carries the list, then `page`s until the stream ends. */
  pagesOf: message(0x01, { transfer }),
  page: message(0x02, { first: u32, entries: list(entry, MAX_PAGE_ENTRIES) }),
  /** First on a stream that carries contents; then, entry by entry, `block`s each followed by its bytes, and `end`. */
  dataOf: message(0x03, { transfer }),
  block: message(0x04, { entry: u32, index: u32, bytes: u32, hash }),
  end: message(0x05, { entry: u32, bytes: u53, root: hash }),
};

/** PROTOCOL.md §9.4. On bulk streams. */
export const transferBulk = table("transfer-bulk", bulk, 262_144);
export type TransferBulk = AnyOf<typeof bulk>;
export type TransferEntry = (TransferBulk & { kind: "page" })["entries"][number];
