import type { Db, MongoClient } from "mongodb";
import { type CallOptions, withDeadline } from "./deadline.ts";
import { explain } from "./errors.ts";

/** How long a method may take in all, so that a person who signs in hears within 3 s that the database is away. */
export const OPERATION_MS = 2_000;

/** A database and the name by which a person knows it. */
export interface Connection {
  readonly client: MongoClient;
  readonly db: Db;
  /** Hosts and database, without credentials. */
  readonly place: string;
}

/**
 * Runs the driver calls of one method, all under one deadline. The driver itself repeats what is safe to repeat: reads,
 * and writes where the database recognises a second try; nothing is repeated here.
 * @param action as in "cannot ACTION: …"
 * @throws StoreError `busy`, `disk-full`
 */
export async function perform<T>(
  { place }: Pick<Connection, "place">,
  action: string,
  work: (call: CallOptions) => Promise<T>,
  deadlineMs = OPERATION_MS,
): Promise<T> {
  try {
    return await withDeadline(deadlineMs, work);
  } catch (error) {
    throw explain(place, action, error);
  }
}
