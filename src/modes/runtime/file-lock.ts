import { closeSync, fstatSync, linkSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { UserError } from "../cli/errors.ts";
import { systemCode } from "./system-code.ts";

/** A lock file `FILE.lock` says who holds it: process id and, where the system tells, when that process began. */
interface Holder {
  readonly pid: number;
  /** Clock ticks since boot; null where it cannot be told. */
  readonly startTicks: number | null;
}

export interface HeldLock {
  readonly release: () => void;
}

const SHORT_LOCK_STALE_MS = 10_000;
/** Its writer makes and fills a lock file in one go. Less than our patience: who was killed in between stops nobody who comes next. */
const UNFINISHED_STALE_MS = 2_000;
const PATIENCE_MS = 5_000;
const RETRY_MS = 10;

/**
 * Does `work`, which must be short and synchronous, while no other process does the like with `file`. What a process that
 * died, or a lock of more than 10 s, left behind is taken over.
 * @throws UserError `busy` after 5 s, `config` when the folder cannot be written to
 */
export async function withFileLock<T>(file: string, work: () => T): Promise<T> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const lock = takeLock(`${file}.lock`, SHORT_LOCK_STALE_MS);
    if (lock !== null) return releasing(lock, work);
    if (performance.now() > giveUpAt)
      throw new UserError("busy", `cannot change ${file}: another program has held it for ${PATIENCE_MS / 1_000} s`, {
        hint: `try again; if no other p2p runs, remove ${file}.lock`,
      });
    await Bun.sleep(RETRY_MS + Math.random() * RETRY_MS);
  }
}

function releasing<T>(lock: HeldLock, work: () => T): T {
  try {
    return work();
  } finally {
    lock.release();
  }
}

/**
 * @param staleAfterMs age at which a lock is taken over even from a living process; null: never
 * @returns null when a living process holds it
 * @throws UserError `config` when the lock file cannot be made
 */
export function takeLock(path: string, staleAfterMs: number | null = null): HeldLock | null {
  const isOurs = create(path) || (isAbandoned(path, staleAfterMs) && create(path));
  return isOurs ? { release: () => rmSync(path, { force: true }) } : null;
}

function create(path: string): boolean {
  try {
    writeFileSync(path, JSON.stringify(thisProcess()), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw new UserError("config", `cannot make ${path}: ${systemCode(error) ?? String(error)}`, {
      hint: "make the folder writable for you, or choose another one",
      cause: error,
    });
  }
}

/** Moves a dead holder's lock out of the way. @returns whether the place may be free now */
function isAbandoned(path: string, staleAfterMs: number | null): boolean {
  const before = contents(path);
  if (before === null) return true;
  if (isHeld(before, staleAfterMs)) return false;
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    // Between the look and the move somebody else may have taken over: then theirs goes back.
    if (readFileSync(aside, "utf8") !== before.text) linkSync(aside, path);
  } catch {
    // It is gone, or taken again; the next attempt to create it tells.
  }
  rmSync(aside, { force: true });
  return true;
}

function isHeld({ text, ageMs }: Contents, staleAfterMs: number | null): boolean {
  const holder = parseHolder(text);
  const isOld = staleAfterMs !== null && ageMs > (holder === null ? UNFINISHED_STALE_MS : staleAfterMs);
  return !isOld && (holder === null || isAlive(holder));
}

interface Contents {
  readonly text: string;
  readonly ageMs: number;
}

function contents(path: string): Contents | null {
  try {
    const file = openSync(path, "r");
    try {
      return { text: readFileSync(file, "utf8"), ageMs: Date.now() - fstatSync(file).mtimeMs };
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
  const ticks = startTicksOf(holder.pid);
  return ticks === null || holder.startTicks === null || ticks === holder.startTicks;
}

function parseHolder(text: string): Holder | null {
  try {
    const { pid, startTicks } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return null;
    return { pid, startTicks: typeof startTicks === "number" ? startTicks : null };
  } catch {
    return null;
  }
}

function thisProcess(): Holder {
  return { pid: process.pid, startTicks: startTicksOf(process.pid) };
}

/** Field 22 of proc(5) stat, counted behind the name, which may hold blanks. Tells a process from a later one of the same id. */
function startTicksOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const ticks = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
    return Number.isSafeInteger(ticks) ? ticks : null;
  } catch {
    return null;
  }
}
