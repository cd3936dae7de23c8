import { constants, Database } from "bun:sqlite";
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StoreError } from "../errors.ts";
import { BUSY_WAIT_MS, type Connection, perform } from "./connection.ts";
import { createDatabaseFile } from "./create-file.ts";
import { APPLICATION_ID, applicationId, migrate, migrations, schemaVersion } from "./schema.ts";

export interface OpenOptions {
  /** How long to wait for another process's lock. Milliseconds, default 5 000. */
  readonly busyWaitMs?: number;
  /** The schema this program knows, oldest step first. */
  readonly steps?: readonly string[];
}

/**
 * Opens the database file, making it when there is none. An existing file is looked at read-only first, and one that this
 * program cannot vouch for is refused and left as it is: it is never repaired, emptied or replaced.
 * @throws StoreError `config` when it is damaged, foreign, of a newer schema or readable by others; those of `perform`
 */
export async function openDatabaseFile(path: string, options: OpenOptions = {}): Promise<Connection> {
  const place = resolve(path);
  const steps = options.steps ?? migrations;
  const waiting = { place, busyWaitMs: options.busyWaitMs ?? BUSY_WAIT_MS };
  if (!existsSync(place)) createDatabaseFile(place, steps);
  refuseUnsafeFile(place);
  await perform(waiting, "open the account store", () => inspect(openReadOnly(place), place, steps));
  return { ...waiting, db: await perform(waiting, "open the account store", () => openForWriting(place, steps)) };
}

/**
 * Looks as {@link openDatabaseFile} does, also while a server has the file open: nothing is made, brought to a newer schema or written.
 * @throws StoreError as there
 */
export async function inspectDatabaseFile(path: string): Promise<void> {
  const place = resolve(path);
  refuseUnsafeFile(place);
  await perform({ place, busyWaitMs: BUSY_WAIT_MS }, "open the account store", () =>
    inspect(existsSync(`${place}-wal`) ? openReadOnly(place) : openAlone(place), place, migrations),
  );
}

export function openDatabaseInMemory(): Connection {
  const db = new Database(":memory:", { strict: true });
  migrate(db, migrations);
  return { db, place: "memory", busyWaitMs: 0 };
}

function refuseUnsafeFile(place: string): void {
  const file = statSync(place, { throwIfNoEntry: false });
  if (file === undefined || !file.isFile()) throw refusal(place, "is not a file", "name another file");
  const isOpen = (file.mode & 0o077) !== 0 && process.platform !== "win32";
  if (isOpen) throw refusal(place, `is open to others (mode ${modeText(file.mode)})`, `chmod 600 ${place}`);
  if (file.size === 0) throw refusal(place, "is empty", RESTORE);
}

const RESTORE = "restore it from a backup; it was left as it is";

/** Beside whoever writes there, which takes two files beside this one. */
function openReadOnly(place: string): Database {
  return new Database(place, { readonly: true, strict: true });
}

/** Where nobody writes: leaves no file behind. */
function openAlone(place: string): Database {
  const { SQLITE_OPEN_READONLY, SQLITE_OPEN_URI } = constants;
  return new Database(`${pathToFileURL(place).href}?immutable=1`, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

function inspect(db: Database, place: string, steps: readonly string[]): void {
  try {
    const version = schemaVersion(db);
    if (applicationId(db) !== APPLICATION_ID) throw refusal(place, "is not an account store", "name another file");
    if (version > steps.length) {
      throw refusal(place, `has schema ${version}, newer than the ${steps.length} known here`, "use the newer p2p");
    }
    const [problem] = integrityProblems(db, 1);
    if (problem !== undefined) throw refusal(place, `is damaged (${problem})`, RESTORE);
  } finally {
    db.close(true);
  }
}

/** @returns what SQLite finds wrong, at most `limit` lines */
export function integrityProblems(db: Database, limit: number): readonly string[] {
  const rows = db.prepare<{ integrity_check: string }, []>(`PRAGMA integrity_check(${limit})`).all();
  return rows.map((row) => row.integrity_check).filter((line) => line !== "ok");
}

/** A file that {@link openDatabaseFile} has looked at. Flushed for each commit. */
export function openToWrite(place: string): Database {
  const db = new Database(place, { readwrite: true, create: false, strict: true });
  try {
    db.run("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
    return db;
  } catch (error) {
    db.close(true);
    throw error;
  }
}

function openForWriting(place: string, steps: readonly string[]): Database {
  const db = openToWrite(place);
  try {
    // What it may not write SQLite opens as read-only, without a word.
    db.run("BEGIN; UPDATE meta SET value = value; ROLLBACK");
    migrate(db, steps);
    return db;
  } catch (error) {
    db.close(true);
    throw error;
  }
}

function refusal(place: string, state: string, hint: string): StoreError {
  return new StoreError("config", `cannot open the account store: ${place} ${state}`, { hint });
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
