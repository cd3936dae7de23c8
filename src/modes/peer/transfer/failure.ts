import { type ErrorCode, isErrorCode, WireError } from "../../../wire/errors.ts";
import { UserError } from "../../cli/errors.ts";
import { systemCode } from "../../runtime/system-code.ts";

/** What the other end may tell us of a transfer, in words for the person here; any other code of theirs is `peer-gone`. */
const told: Partial<Record<ErrorCode, string>> = {
  declined: "they declined",
  "no-answer": "they take no files now",
  limited: "too many offers are open at their side",
  busy: "their side is busy",
  "disk-full": "their disk is full",
  "not-writable": "their folder cannot be written to",
  "too-large": "it is more than they take",
  "unknown-type": "their program does not take this kind of offer",
  "file-changed": "a file changed at their side while it was sent",
  "file-unreadable": "a file cannot be read at their side",
  cancelled: "they cancelled",
  "bad-message": "their program refused what it got from ours",
};

/** @param action "cannot send the files to ben" */
export function toldFailure(action: string, code: string): UserError {
  const known = isErrorCode(code) && told[code] !== undefined ? code : null;
  if (known === null) return new UserError("peer-gone", `${action}: they gave up`, { side: "remote" });
  return new UserError(known, `${action}: ${told[known]}`, { side: "remote" });
}

/** What the person is told of any error that ended a transfer: ours, theirs, or a defect. */
export function failureOf(action: string, error: unknown): UserError {
  // A stream that they gave up carries no more than the code that their message has, too, and may be the first to come.
  if (error instanceof UserError)
    return error.side === "remote" && told[error.code] ? toldFailure(action, error.code) : error;
  if (error instanceof WireError) return refused(action, error);
  return new UserError("internal", `${action}: something here went wrong`, { cause: error });
}

function refused(action: string, cause: WireError): UserError {
  return new UserError(cause.code, `${action}: what they sent was refused: ${cause.message}`, {
    side: "remote",
    cause,
  });
}

/** What the other end is told of it. */
export function codeToTell(failure: UserError): ErrorCode {
  return failure.code === "interrupted" || failure.code === "terminated" ? "cancelled" : failure.code;
}

/** Why a session ends that files moved in, for both ends to read. @param failure what ended the transfer; null when all arrived */
export function endReason(failure: unknown): string {
  if (failure === null) return "finished";
  const code = failure instanceof UserError ? codeToTell(failure) : "internal";
  return reasonsToEnd[code] ?? "the transfer failed";
}

const reasonsToEnd: Partial<Record<ErrorCode, string>> = {
  cancelled: "the transfer was cancelled",
  declined: "the files were declined",
};

/** An error of the file system while something is written here. */
export function writeFailure(action: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  if (code === "ENOSPC" || code === "EDQUOT")
    return new UserError("disk-full", `${action}: no space is left`, { cause: error });
  return new UserError("not-writable", `${action}: ${reasonOf(code)}`, { cause: error });
}

/** An error of the file system while something is read here. */
export function readFailure(action: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  const missing = code === "ENOENT" || code === "ENOTDIR";
  return new UserError(missing ? "file-not-found" : "file-unreadable", `${action}: ${reasonOf(code)}`, {
    cause: error,
  });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is no folder",
  EACCES: "the system does not allow it",
  EPERM: "the system does not allow it",
  EROFS: "the disk is read-only",
  EEXIST: "something of that name is in the way",
  ELOOP: "a link stands where none may be",
  EIO: "the disk failed",
  EFBIG: "the file system takes no file of that size",
  EMFILE: "too many files are open",
};

function reasonOf(code: string): string {
  return reasons[code] ?? `the system says ${code}`;
}
