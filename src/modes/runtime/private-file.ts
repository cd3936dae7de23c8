import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { UserError } from "../cli/errors.ts";
import { systemCode } from "./system-code.ts";

// Windows has no such modes and owners; there the folder's access list protects what lies in it.
const HAS_MODES = process.platform !== "win32";
const NO_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);
const reasons: Readonly<Record<string, string>> = {
  EACCES: "no right to",
  EPERM: "no right to",
  EROFS: "it is on a read-only file system",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  ENOTDIR: "a part of the path is no folder",
  EISDIR: "it is a folder",
  ELOOP: "it is a symbolic link",
  EIO: "the disk fails",
};

/** Who may read: nobody else at all, or anybody as long as only its owner can write. */
export type Privacy = "secret" | "own";

/**
 * A folder for one's own files, 0700 when it is made here.
 * @throws UserError `config` when it cannot be made or written to, or others may write to it
 */
export function makePrivateFolder(folder: string): void {
  try {
    if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined && HAS_MODES) chmodSync(folder, 0o700);
    const stats = lstatSync(`${folder}${path.sep}`);
    if (HAS_MODES && (stats.mode & 0o002) !== 0)
      throw problem(`cannot use ${folder}: everybody may write to it`, `chmod 700 "${folder}"`);
    probe(folder);
  } catch (error) {
    throw explained(
      error,
      `cannot write to ${folder}`,
      "choose another folder, or give yourself the right to write there",
    );
  }
}

/** @returns the whole file; null when there is none. @throws UserError `config` with the fix when it is not safely ours */
export function readPrivateFile(file: string, privacy: Privacy): Uint8Array | null {
  let handle: number;
  try {
    handle = openSync(file, constants.O_RDONLY | noFollow());
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw explained(error, `cannot read ${file}`, "put the file itself there, readable for you");
  }
  try {
    refuseUnsafe(file, fstatSync(handle), privacy);
    return new Uint8Array(readFileSync(handle));
  } catch (error) {
    throw explained(error, `cannot read ${file}`, "restore it from a backup");
  } finally {
    closeSync(handle);
  }
}

/**
 * Makes a file that is not there yet, whole or not at all.
 * @returns false when there is one already, which stays as it is
 * @throws UserError `config`
 */
export function createPrivateFile(file: string, bytes: Uint8Array): boolean {
  return withTemporary(file, bytes, (temporary) => {
    try {
      linkSync(temporary, file);
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      if (!NO_LINKS.has(systemCode(error) ?? "")) throw error;
    }
    return createInPlace(file, bytes);
  });
}

/** Puts a file in the place of the one before; a reader sees the one or the other. @throws UserError `config` */
export function replacePrivateFile(file: string, bytes: Uint8Array): void {
  withTemporary(file, bytes, (temporary) => renameSync(temporary, file));
}

function withTemporary<T>(file: string, bytes: Uint8Array, publish: (temporary: string) => T): T {
  const temporary = `${file}.${process.pid}-${crypto.getRandomValues(new Uint8Array(6)).toHex()}.tmp`;
  try {
    writeNew(temporary, bytes);
    const result = publish(temporary);
    syncFolder(path.dirname(file));
    return result;
  } catch (error) {
    throw explained(error, `cannot save ${file}`, "make room, or make the folder writable for you");
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createInPlace(file: string, bytes: Uint8Array): boolean {
  try {
    writeNew(file, bytes);
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** 0600 whatever the umask says. */
function writeNew(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow(), 0o600);
  try {
    if (HAS_MODES) fchmodSync(handle, 0o600);
    writeFileSync(handle, bytes);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function probe(folder: string): void {
  const file = path.join(folder, `.${process.pid}-${crypto.getRandomValues(new Uint8Array(6)).toHex()}.tmp`);
  closeSync(openSync(file, "wx", 0o600));
  rmSync(file, { force: true });
}

function refuseUnsafe(file: string, stats: Stats, privacy: Privacy): void {
  if (!stats.isFile()) throw problem(`cannot use ${file}: it is no plain file`, "put a copy of the file itself there");
  if (!HAS_MODES) return;
  if (stats.uid !== process.geteuid?.())
    throw problem(`cannot use ${file}: it belongs to somebody else`, hintOfOwner(file));
  const forbidden = privacy === "secret" ? 0o077 : 0o022;
  if ((stats.mode & forbidden) === 0) return;
  const what = privacy === "secret" ? "others may read it" : "others may change it";
  throw problem(
    `cannot use ${file}: ${what} (mode ${(stats.mode & 0o777).toString(8).padStart(4, "0")})`,
    `chmod 600 "${file}"`,
  );
}

/** Root who looks after a server of another user must not take its files away from it. */
function hintOfOwner(file: string): string {
  if (process.geteuid?.() !== 0) return `chown "$(id -un)" "${file}", if it is yours`;
  return `run p2p as its owner: runuser -u "$(stat -c %U "${file}")" -- p2p …`;
}

/** So that a power cut does not bring the file before back. Not every file system lets a folder be synced. */
function syncFolder(folder: string): void {
  if (!HAS_MODES) return;
  try {
    const handle = openSync(folder, "r");
    fsyncSync(handle);
    closeSync(handle);
  } catch {
    // The rename itself is done; only its moment of reaching the disk is unknown.
  }
}

function noFollow(): number {
  return HAS_MODES ? constants.O_NOFOLLOW : 0;
}

function explained(error: unknown, action: string, hint: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError("config", `${action}: ${reasons[systemCode(error) ?? ""] ?? String(error)}`, {
    hint,
    cause: error,
  });
}

function problem(message: string, hint: string): UserError {
  return new UserError("config", message, { hint });
}
