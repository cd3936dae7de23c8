import { concat, toHex, utf8 } from "../wire/bytes.ts";
import { requireBytes, requireInteger, requireText, requireTime, requireUpTo } from "./checks.ts";
import {
  ID_BYTES,
  KEY_BYTES,
  MAX_DEVICE_LIST_BYTES,
  MAX_DEVICES,
  MAX_INVITATION_USES,
  MAX_LABEL_LENGTH,
  MAX_NAME_LENGTH,
  MAX_PAGE_ENTRIES,
  MAX_PASSWORD_HASH_LENGTH,
} from "./limits.ts";

/**
 * All that an account store keeps, as it is kept, for a move to another store. The generation alone is not among it: that is the
 * store's own, see `AccountStore.generation()`.
 */
export interface Records {
  /**
   * Each record once, in byte order of its key. Of what changes meanwhile either state may be seen.
   * @throws StoreError `config` for a record that is damaged
   */
  read(kind: RecordKind): AsyncIterable<Row>;
  /**
   * Adds up to 1 000 records as they stand, and passes over those that are there already, the very same. A record is there whole or
   * not at all, but some may be there and others not when this rejects.
   * @throws StoreError `config` when another record is in the place of one of them; what was there stays as it was
   */
  add(kind: RecordKind, rows: readonly Row[]): Promise<void>;
}

export type Value = Uint8Array | string | number | boolean | null;
/** Field by field, as `recordKinds` has them. */
export type Row = Readonly<Record<string, Value>>;

export interface Field {
  readonly holds: "bytes" | "text" | "number" | "flag";
  /** @throws TypeError that begins with `what` */
  readonly require: (what: string, value: Value) => void;
}

export interface KindOfRecord {
  /** The fields, bytes all of them, by which a record is known. */
  readonly key: readonly string[];
  readonly fields: Readonly<Record<string, Field>>;
  /** What one is called in an error. */
  readonly title: string;
}

const id = bytes(ID_BYTES);
const hash = bytes(KEY_BYTES);
const device = {
  deviceId: id,
  userId: id,
  slot: whole(0, MAX_DEVICES - 1),
  key: hash,
  signKey: hash,
  label: text(MAX_LABEL_LENGTH),
  deviceList: upTo(MAX_DEVICE_LIST_BYTES),
  createdAtMs: time(),
  lastSeenAtMs: time(),
};

/**
 * The kinds there are, in the order in which they are copied: what narrows before what admits, so that a half-filled store never
 * allows more than the whole one.
 */
export const recordKinds = {
  accounts: {
    key: ["userId"],
    title: "account",
    fields: {
      userId: id,
      name: text(MAX_NAME_LENGTH),
      passwordHash: text(MAX_PASSWORD_HASH_LENGTH),
      createdAtMs: time(),
      invisible: flag(),
      blocked: flag(),
      inviteId: upTo(KEY_BYTES),
      inviteSlot: whole(0, MAX_INVITATION_USES - 1),
    },
  },
  revokedDevices: { key: ["deviceId"], title: "revoked device", fields: { ...device, revokedAtMs: time() } },
  devices: { key: ["deviceId"], title: "device", fields: device },
  blocks: { key: ["userId", "blockedUserId"], title: "block", fields: { userId: id, blockedUserId: id } },
  redeemedResets: {
    key: ["tokenHash"],
    title: "spent password reset",
    fields: { tokenHash: hash, expiresAtMs: time() },
  },
  resets: { key: ["tokenHash"], title: "password reset", fields: { tokenHash: hash, userId: id, expiresAtMs: time() } },
  invitations: {
    key: ["inviteId"],
    title: "invitation",
    fields: {
      inviteId: hash,
      uses: whole(1, MAX_INVITATION_USES),
      createdAtMs: time(),
      expiresAtMs: time(),
      createdBy: orNull(id),
    },
  },
} as const satisfies Readonly<Record<string, KindOfRecord>>;

export type RecordKind = keyof typeof recordKinds;

export const kindsInOrder = Object.keys(recordKinds) as readonly RecordKind[];

export function kindOf(kind: RecordKind): KindOfRecord {
  return recordKinds[kind];
}

/** @throws TypeError unless there are at most 1 000 rows, each with exactly the fields of its kind, within their bounds */
export function requireRows(kind: RecordKind, rows: readonly Row[]): void {
  requireInteger("number of records", rows.length, 0, MAX_PAGE_ENTRIES);
  for (const row of rows) requireRow(kind, row);
}

export function requireRow(kind: RecordKind, row: Row): void {
  const { fields, title } = kindOf(kind);
  for (const [name, field] of Object.entries(fields)) field.require(`${name} of the ${title}`, row[name] ?? null);
  const foreign = Object.keys(row).find((name) => !Object.hasOwn(fields, name));
  if (foreign !== undefined) throw new TypeError(`the ${title} has a field ${foreign}`);
}

/** The same text for the same record, whichever store it comes from: a JSON array of its fields, bytes in hex. */
export function lineOf(kind: RecordKind, row: Row): string {
  const values = Object.keys(kindOf(kind).fields).map((name) => row[name] ?? null);
  return JSON.stringify(values.map((value) => (value instanceof Uint8Array ? toHex(value) : value)));
}

/** In an order that is that of the bytes. */
export function keyOf(kind: RecordKind, row: Row): Uint8Array {
  return concat(...kindOf(kind).key.map((name) => bytesOf(row[name])));
}

/** As in `cannot add the account "ana"`. */
export function titleOf(kind: RecordKind, row: Row): string {
  const { title } = kindOf(kind);
  const name = row["name"] ?? row["label"];
  return typeof name === "string" ? `${title} "${name}"` : `${title} ${toHex(keyOf(kind, row)).slice(0, 8)}`;
}

function bytesOf(value: Value | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : utf8("");
}

// A value of another type fails these at their first look; what they promise of types is what they are asked here.

function bytes(length: number): Field {
  return { holds: "bytes", require: (what, value) => void requireBytes(what, value as Uint8Array, length) };
}

function upTo(length: number): Field {
  return { holds: "bytes", require: (what, value) => void requireUpTo(what, value as Uint8Array, length) };
}

function text(maxLength: number): Field {
  return { holds: "text", require: (what, value) => void requireText(what, value as string, maxLength) };
}

function whole(lowest: number, highest: number): Field {
  return { holds: "number", require: (what, value) => void requireInteger(what, value as number, lowest, highest) };
}

function time(): Field {
  return { holds: "number", require: (what, value) => void requireTime(what, value as number) };
}

function flag(): Field {
  return {
    holds: "flag",
    require: (what, value) => {
      if (typeof value !== "boolean") throw new TypeError(`${what} is neither true nor false`);
    },
  };
}

function orNull(field: Field): Field {
  return {
    holds: field.holds,
    require: (what, value) => {
      if (value !== null) field.require(what, value);
    },
  };
}
