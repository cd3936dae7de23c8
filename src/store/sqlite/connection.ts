import { constants, type Database, SQLiteError } from "bun:sqlite";
import type { ErrorCode } from "../../wire/errors.ts";
import { StoreError } from "../errors.ts";

/** How long to wait for a lock that another process holds. Milliseconds. */
export const BUSY_WAIT_MS = 5_000;
/** Gap between two looks at a held lock. SQLite's own waiting would hold up everything else in this process. */
const BUSY_RETRY_MS = 25;

/** A database and the name by which a person knows it. */
export interface Connection {
  readonly db: Database;
  readonly place: string;
  readonly busyWaitMs: number;
}

/**
 * Runs `work`, again and again while another process holds a lock; what it did in vain must have left no trace.
 * @param action as in "cannot ACTION: …"
 * @throws StoreError `busy`, `disk-full`, `not-writable`, `file-unreadable`, `config` (damaged)
 */
export async function perform<T>(connection: Omit<Connection, "db">, action: string, work: () => T): Promise<T> {
  const deadline = performance.now() + connection.busyWaitMs;
  for (;;) {
    try {
      return work();
    } catch (error) {
      const explained = explain(connection.place, action, error);
      const mayPass = explained instanceof StoreError && explained.code === "busy";
      if (!mayPass || performance.now() >= deadline) throw explained;
    }
    await Bun.sleep(BUSY_RETRY_MS);
  }
}

/** @returns the columns of the unique index that a row ran into, as `table.column, table.column`; null for other errors */
export function takenColumns(error: unknown): string | null {
  if (!(error instanceof SQLiteError)) return null;
  const [, columns] = /^UNIQUE constraint failed: (.+)$/.exec(error.message) ?? [];
  return columns ?? null;
}

/** Leaves one file behind, also where SQLite keeps its log by default (macOS). Closing twice is harmless. */
export function closeDatabase(db: Database): void {
  db.fileControl(constants.SQLITE_FCNTL_PERSIST_WAL, 0);
  db.close(true);
}

interface Explanation {
  readonly code: ErrorCode;
  readonly state: string;
  readonly hint: string;
}

const explanations = new Map<string, Explanation>([
  ["BUSY", { code: "busy", state: "is locked by another process", hint: "end the other program that has it open" }],
  ["LOCKED", { code: "busy", state: "is locked by another process", hint: "end the other program that has it open" }],
  ["FULL", { code: "disk-full", state: "has no room left on its disk", hint: "free some space" }],
  ["READONLY", { code: "not-writable", state: "cannot be written", hint: "check owner and mode of file and folder" }],
  ["PERM", { code: "not-writable", state: "cannot be written", hint: "check owner and mode of file and folder" }],
  ["CANTOPEN", { code: "not-writable", state: "cannot be opened", hint: "check owner and mode of file and folder" }],
  ["IOERR", { code: "file-unreadable", state: "cannot be read or written", hint: "check the disk" }],
  ["CORRUPT", { code: "config", state: "is damaged", hint: "restore it from a backup; it was left as it is" }],
  ["NOTADB", { code: "config", state: "is not a database", hint: "restore it from a backup; it was left as it is" }],
]);

function explain(place: string, action: string, error: unknown): unknown {
  if (!(error instanceof SQLiteError)) return error;
  const [, kind] = /^SQLITE_([A-Z]+)/.exec(error.code ?? "") ?? [];
  const found = explanations.get(kind ?? "");
  if (found === undefined) return error;
  return new StoreError(found.code, `cannot ${action}: ${place} ${found.state}`, { hint: found.hint, cause: error });
}
