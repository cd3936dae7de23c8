import { Database } from "bun:sqlite";
import { closeSync, fchmodSync, fsyncSync, linkSync, openSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { StoreError } from "../errors.ts";
import { closeDatabase } from "./connection.ts";
import { APPLICATION_ID, migrate } from "./schema.ts";

/**
 * Makes a private file with the latest schema. It is made whole under another name and then linked, so that a crash on the
 * way leaves no half-made store under this one; a process that was faster wins.
 * @throws StoreError `not-writable`, `disk-full`, `config`
 */
export function createDatabaseFile(place: string, steps: readonly string[]): void {
  refuseOrphanedLog(place);
  const unfinished = `${place}.${crypto.randomUUID()}.new`;
  try {
    createPrivately(unfinished);
    fill(unfinished, steps);
    linkSync(unfinished, place);
    flushFolder(dirname(place));
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw notCreated(place, error);
  } finally {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(unfinished + suffix, { force: true });
  }
}

/** In WAL mode from the first: the file says so itself, and no rollback journal ever stands beside it. */
function fill(path: string, steps: readonly string[]): void {
  const db = new Database(path, { readwrite: true, create: false, strict: true });
  try {
    db.run(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(db, steps);
  } finally {
    closeDatabase(db);
  }
}

/** SQLite gives its own side files the mode of the main one. */
function createPrivately(path: string): void {
  const descriptor = openSync(path, "wx", 0o600);
  fchmodSync(descriptor, 0o600); // the umask may have taken away even our own rights
  closeSync(descriptor);
}

function flushFolder(folder: string): void {
  if (process.platform === "win32") return;
  const descriptor = openSync(folder, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

/** A log without its database would be played into the new one. */
function refuseOrphanedLog(place: string): void {
  const log = statSync(`${place}-wal`, { throwIfNoEntry: false });
  if (log === undefined || log.size === 0) return;
  throw new StoreError("config", `cannot create the account store: ${place} is missing, but ${place}-wal is there`, {
    hint: "restore both from a backup, or move the -wal file away to start anew",
  });
}

function notCreated(place: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (code === null) return cause;
  const isFull = code === "ENOSPC" || code === "EDQUOT" || code === "SQLITE_FULL";
  const state = code === "ENOENT" ? "its folder does not exist" : `the system says ${code}`;
  return new StoreError(isFull ? "disk-full" : "not-writable", `cannot create ${place}: ${state}`, { cause });
}

function codeOf(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : null;
}
