import { StoreError } from "./errors.ts";
import { type RecordKind, requireRow, type Row, titleOf } from "./records.ts";

/** @returns the row as it is. @throws StoreError `config` when it is none that a store of ours writes */
export function readable(place: string, kind: RecordKind, row: Row): Row {
  try {
    requireRow(kind, row);
    return row;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new StoreError("config", `cannot read the account store: ${place} is damaged (${error.message})`, {
      hint: "restore it from a backup; it was left as it is",
      cause: error,
    });
  }
}

/** What `Records.add()` says when it finds another record in the place of one. */
export function replaced(place: string, kind: RecordKind, row: Row): StoreError {
  return new StoreError("config", `cannot add the ${titleOf(kind, row)}: ${place} holds another in its place`, {
    hint: "nothing was overwritten; use an empty store",
  });
}
