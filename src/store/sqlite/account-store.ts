import type { SQLQueryBindings, Statement } from "bun:sqlite";
import type { AccountStore } from "../accounts.ts";
import { requireTime } from "../checks.ts";
import { StoreError } from "../errors.ts";
import { REVOKED_KEPT_MS } from "../limits.ts";
import { SqliteAccounts } from "./accounts.ts";
import { writtenBy } from "./background-store.ts";
import { SqliteBlocks } from "./blocks.ts";
import { closeDatabase, type Connection, perform } from "./connection.ts";
import { integrityProblems, openDatabaseFile, openDatabaseInMemory, type OpenOptions } from "./database-file.ts";
import { SqliteDevices } from "./devices.ts";
import { SqliteInvitations } from "./invitations.ts";
import { SqliteRecords } from "./records.ts";
import { SqliteResets } from "./resets.ts";
import { Writer } from "./writer.ts";

/** @throws StoreError when the file cannot be made, or must not be used as it is */
export async function openAccountFile(path: string, options: OpenOptions = {}): Promise<AccountStore> {
  const connection = await openDatabaseFile(path, options);
  try {
    const { place, busyWaitMs } = connection;
    const writer = await Writer.open({ place, busyWaitMs });
    connection.db.run("PRAGMA query_only = ON");
    return writtenBy(writer, new SqliteAccountStore(connection));
  } catch (error) {
    closeDatabase(connection.db);
    throw error;
  }
}

/** The same store without a file: what it knows ends with the process. */
export function openAccountsInMemory(): AccountStore {
  return new SqliteAccountStore(openDatabaseInMemory());
}

/** Lines of trouble that `check()` names before it stops looking. */
const MAX_PROBLEMS = 20;

export class SqliteAccountStore implements AccountStore {
  readonly accounts: SqliteAccounts;
  readonly devices: SqliteDevices;
  readonly invitations: SqliteInvitations;
  readonly blocks: SqliteBlocks;
  readonly resets: SqliteResets;
  readonly records: SqliteRecords;
  readonly #connection: Connection;
  readonly #generation: Statement<{ value: number }, SQLQueryBindings[]>;
  readonly #bumpGeneration: Statement<{ value: number }, SQLQueryBindings[]>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.accounts = new SqliteAccounts(connection);
    this.devices = new SqliteDevices(connection);
    this.invitations = new SqliteInvitations(connection);
    this.blocks = new SqliteBlocks(connection);
    this.resets = new SqliteResets(connection);
    this.records = new SqliteRecords(connection);
    this.#generation = connection.db.prepare("SELECT value FROM meta WHERE key = 'generation'");
    this.#bumpGeneration = connection.db.prepare(
      "UPDATE meta SET value = max(value, ?1) + 1 WHERE key = 'generation' RETURNING value",
    );
  }

  async generation(): Promise<number> {
    return perform(this.#connection, "read the generation", () => this.#generation.get()?.value ?? 0);
  }

  async bumpGeneration(above = 0): Promise<number> {
    requireTime("generation", above);
    return perform(this.#connection, "raise the generation", () => this.#bumpGeneration.get(above)?.value ?? 0);
  }

  async sweep(nowMs: number): Promise<void> {
    const { db } = this.#connection;
    const revokedBeforeMs = requireTime("now", nowMs) - REVOKED_KEPT_MS;
    const sweepAll = db.transaction(() => {
      db.run("DELETE FROM invitations WHERE expires_at_ms <= ?1", [nowMs]);
      db.run("DELETE FROM resets WHERE expires_at_ms <= ?1", [nowMs]);
      db.run("DELETE FROM redeemed_resets WHERE expires_at_ms <= ?1", [nowMs]);
      db.run("DELETE FROM devices WHERE revoked_at_ms <= ?1", [revokedBeforeMs]);
    });
    await perform(this.#connection, "sweep the account store", () => sweepAll.immediate());
  }

  async check(): Promise<readonly string[]> {
    try {
      const work = () => integrityProblems(this.#connection.db, MAX_PROBLEMS);
      return await perform(this.#connection, "check the account store", work);
    } catch (error) {
      if (error instanceof StoreError && error.code === "config") return [error.message]; // too damaged to be listed
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeDatabase(this.#connection.db);
  }
}
