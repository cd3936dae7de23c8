import { Binary } from "mongodb";
import { keyOf, kindOf, type RecordKind, type Row, type Value } from "../records.ts";
import { binary, bytesIn, clearingAfter } from "./documents.ts";

/** Of any collection, as documents.ts has each. */
export interface RecordDocument {
  readonly _id: Binary;
  readonly [field: string]: unknown;
}

/** How long the database leaves what has expired. Days; a spent reset outlives the reset itself, which would else be good again. */
const clearedAfterDays: Partial<Record<RecordKind, number>> = { invitations: 1, resets: 1, redeemedResets: 2 };

export function toDocument(kind: RecordKind, row: Row): RecordDocument {
  const fields = namesBesideId(kind).map((name) => [name, toStored(row[name] ?? null)]);
  return { _id: binary(keyOf(kind, row)), ...Object.fromEntries(fields), ...clearing(kind, row) };
}

/** Whatever the document holds; it is for the caller to check. */
export function toRow(kind: RecordKind, document: RecordDocument): Row {
  const [first = "", second] = kindOf(kind).key;
  const fields = namesBesideId(kind).map((name) => [name, fromStored(document[name])]);
  const key = second === undefined ? { [first]: fromStored(document._id) } : {};
  return { ...key, ...Object.fromEntries(fields) };
}

/** A key of one field is the id; one of two is both, one after the other, and its fields are kept beside it. */
function namesBesideId(kind: RecordKind): readonly string[] {
  const { key, fields } = kindOf(kind);
  return Object.keys(fields).filter((name) => key.length > 1 || name !== key[0]);
}

function clearing(kind: RecordKind, { expiresAtMs }: Row): { readonly clearAt?: Date } {
  const days = clearedAfterDays[kind];
  return days === undefined ? {} : { clearAt: clearingAfter(Number(expiresAtMs), days) };
}

function toStored(value: Value): unknown {
  return value instanceof Uint8Array ? binary(value) : value;
}

function fromStored(value: unknown): Value {
  return value instanceof Binary ? bytesIn(value) : ((value ?? null) as Value);
}
