import type { Database } from "bun:sqlite";
import type { AccountStore } from "../accounts.ts";
import { type Connection, perform } from "./connection.ts";
import { type Outcome, toPlain } from "./thread-messages.ts";
import { type Call, callOn } from "./writes.ts";

const ACTION = "write to the account store";

/**
 * Does all of `calls` in their order and flushes once for all of them. One that fails leaves no trace and does not hold up the others.
 * @param store over that connection, which nobody else uses meanwhile
 * @returns what became of each; then all that succeeded is on disk
 * @throws StoreError, and nothing was done
 */
export async function commitTogether(
  connection: Connection,
  store: AccountStore,
  calls: readonly Call[],
): Promise<readonly Outcome[]> {
  const { db } = connection;
  await perform(connection, ACTION, () => db.run("BEGIN IMMEDIATE"));
  try {
    const outcomes: Outcome[] = [];
    for (const call of calls) outcomes.push(await attempt(db, store, call));
    await perform(connection, ACTION, () => db.run("COMMIT"));
    return outcomes;
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  }
}

/** @throws what the call throws where SQLite has undone the others with it, as it does when the disk is full */
async function attempt(db: Database, store: AccountStore, call: Call): Promise<Outcome> {
  db.run("SAVEPOINT call");
  try {
    const value = await callOn(store, call);
    db.run("RELEASE call");
    return { value };
  } catch (error) {
    if (!db.inTransaction) throw error;
    db.run("ROLLBACK TO call; RELEASE call");
    return { error: toPlain(error) };
  }
}
