import type { ErrorCode } from "../../wire/errors.ts";
import type { ErrorSide } from "./errors.ts";

/** What only programs say to each other; a person reads `internal` when it is our fault, `peer-gone` when it is theirs. */
type WireOnly =
  | "bad-message"
  | "unknown-type"
  | "no-such-request"
  | "no-such-session"
  | "protocol-error"
  | "answered-elsewhere"
  | "cancelled";
export type ShownCode = Exclude<ErrorCode, WireOnly>;

interface Row {
  readonly exit: number;
  /** What to try when the error itself does not say. */
  readonly hint: string;
}

/** Exit status and a last-resort hint of every code a person can see. */
const rows: Readonly<Record<ShownCode, Row>> = {
  internal: { exit: 1, hint: "this is a defect in p2p; run it again with --verbose and report what it prints" },
  usage: { exit: 2, hint: "see p2p help" },
  config: { exit: 2, hint: "mend the named file or setting" },
  "already-registered": { exit: 2, hint: "sign out first, with p2p logout, or choose another folder with --home" },
  "port-in-use": { exit: 2, hint: "choose another port with --listen, or stop what uses this one" },
  "not-signed-in": { exit: 3, hint: "use p2p register or p2p login first" },
  "wrong-password": { exit: 3, hint: "check name and password and try again" },
  "name-taken": { exit: 3, hint: "choose another name" },
  "bad-name": { exit: 3, hint: "choose a name of 3 to 32 characters out of a-z, 0-9 and single . _ -" },
  "weak-password": { exit: 3, hint: "choose a password of 10 to 256 characters that is not a common one" },
  "bad-invite": { exit: 3, hint: "ask the server's operator for a new join line" },
  revoked: { exit: 3, hint: "sign in again, with p2p login" },
  "no-such-person": { exit: 4, hint: "check the name, or see p2p users" },
  offline: { exit: 5, hint: "try again when `p2p users` shows them online" },
  "no-answer": { exit: 5, hint: "try again later" },
  "peer-gone": { exit: 5, hint: "try again" },
  declined: { exit: 6, hint: "ask them by other means first" },
  blocked: { exit: 6, hint: "use p2p contacts unblock to talk to them again" },
  "no-path": { exit: 7, hint: "leave --direct-only out, or try from another network" },
  "server-key-changed": {
    exit: 8,
    hint: "ask the server's operator whether the key was changed on purpose, and for a new join line",
  },
  "peer-key-changed": { exit: 8, hint: "ask them by other means whether they have a new device" },
  unverified: { exit: 8, hint: "compare the safety number with p2p verify" },
  "number-differs": {
    exit: 8,
    hint: "read the number to each other once more; if it still differs, somebody is in between",
  },
  "file-not-found": { exit: 9, hint: "check the path" },
  "file-unreadable": { exit: 9, hint: "give yourself the right to read the file" },
  "file-changed": { exit: 9, hint: "send it again when nothing writes to it" },
  "disk-full": { exit: 9, hint: "make room and try again" },
  "not-writable": { exit: 9, hint: "choose a folder that you may write to" },
  "too-large": { exit: 9, hint: "send less at once" },
  "server-unreachable": { exit: 10, hint: "check the network and the server's address, and try again" },
  busy: { exit: 11, hint: "try again in a moment" },
  limited: { exit: 11, hint: "wait a while and try again" },
  interrupted: { exit: 130, hint: "run it again" },
  terminated: { exit: 143, hint: "run it again" },
};

export function exitStatus(code: ShownCode): number {
  return rows[code].exit;
}

export function lastResortHint(code: ShownCode): string {
  return rows[code].hint;
}

/** The code to show for one that may be meant for programs only. */
export function shownCode(code: ErrorCode, side: ErrorSide): ShownCode {
  if (isShown(code)) return code;
  return side === "local" ? "internal" : "peer-gone";
}

function isShown(code: ErrorCode): code is ShownCode {
  return Object.hasOwn(rows, code);
}
