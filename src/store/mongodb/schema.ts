import type { Db, IndexDirection } from "mongodb";
import { StoreError } from "../errors.ts";
import type { OnTrouble } from "../trouble.ts";
import type { Collections } from "./collections.ts";
import { type Connection, perform } from "./connection.ts";
import { type CallOptions, withDeadline } from "./deadline.ts";
import { alreadyExists, ignoreDuplicate } from "./errors.ts";

/** The shape of the documents; a program meets older ones by steps of its own and leaves newer ones alone. */
export const SCHEMA_VERSION = 1;

/** Building an index over a collection of years. */
const INDEX_BUILD_MS = 60_000;

export interface Index {
  readonly of: keyof Collections;
  readonly name: string;
  readonly key: Readonly<Record<string, IndexDirection>>;
  readonly unique?: true;
}

/** Without the unique ones nothing that may happen only once would be certain. */
export const indexes: readonly Index[] = [
  { of: "accounts", name: "name", key: { name: 1 }, unique: true },
  { of: "accounts", name: "invite", key: { inviteId: 1, inviteSlot: 1 }, unique: true },
  { of: "devices", name: "key", key: { key: 1 }, unique: true },
  { of: "devices", name: "slot", key: { userId: 1, slot: 1 }, unique: true },
  { of: "revokedDevices", name: "revoked", key: { revokedAtMs: 1 } },
  { of: "blocks", name: "user", key: { userId: 1 } },
  { of: "resets", name: "user", key: { userId: 1 } },
];

/** Cleared by the database itself, where it can; never relied upon. */
const expiring = ["invitations", "resets", "redeemedResets"] as const;

/**
 * Makes what is missing of collections and indexes.
 * @throws StoreError `config` when the documents are of a newer schema
 */
export async function prepareSchema(connection: Connection, onTrouble: OnTrouble): Promise<void> {
  const { place, db, collections } = connection;
  await perform(connection, OPEN, (call) => refuseNewerSchema(place, collections.meta, call));
  await perform(connection, OPEN, (call) => createCollections(db, collections, call), INDEX_BUILD_MS);
  for (const index of indexes) {
    const work = (call: CallOptions) => createIndex(collections, index, call);
    await perform(connection, OPEN, work, INDEX_BUILD_MS);
  }
  const trouble = await expiryTrouble(collections);
  if (trouble !== null) onTrouble({ event: "no-expiry-index", place, reason: trouble });
}

const OPEN = "open the account store";

async function refuseNewerSchema(place: string, meta: Collections["meta"], call: CallOptions): Promise<void> {
  const known = { _id: "schema", version: SCHEMA_VERSION };
  const found = (await meta.findOne({ _id: known._id }, call))?.version ?? null;
  if (found === null) await meta.insertOne(known, call).catch(ignoreDuplicate);
  if (found === null || found <= SCHEMA_VERSION) return;
  const state = `has schema ${found}, newer than the ${SCHEMA_VERSION} known here`;
  throw new StoreError("config", `cannot ${OPEN}: ${place} ${state}`, { hint: "use the newer p2p" });
}

/** Beforehand, because some databases make a collection twice when two first documents come at once. */
async function createCollections(db: Db, collections: Collections, call: CallOptions): Promise<void> {
  const listed = await db.listCollections({}, { ...call, nameOnly: true }).toArray();
  const present = new Set(listed.map(({ name }) => name));
  for (const { collectionName } of Object.values(collections)) {
    if (present.has(collectionName)) continue;
    await db.createCollection(collectionName, call).catch((error: unknown) => {
      if (!alreadyExists(error)) throw error;
    });
  }
}

async function createIndex(
  collections: Collections,
  { of, name, key, unique }: Index,
  call: CallOptions,
): Promise<void> {
  const options = { ...call, name, ...(unique === true ? { unique } : {}) };
  await collections[of].createIndex(key, options);
}

/** @returns null, or why the database clears nothing by itself */
async function expiryTrouble(collections: Collections): Promise<string | null> {
  const options = { name: "expiry", expireAfterSeconds: 0 };
  try {
    for (const of of expiring)
      await withDeadline(INDEX_BUILD_MS, (call) =>
        collections[of].createIndex({ clearAt: 1 }, { ...call, ...options }),
      );
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : "no reason given";
  }
}
