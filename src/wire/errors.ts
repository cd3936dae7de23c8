/** PROTOCOL.md §11. One list for the wire, `--json` and exit codes. A place in it is a number on the wire: new ones go to the end. */
export const errorCodes = [
  "internal",
  "usage",
  "config",
  "already-registered",
  "port-in-use",
  "not-signed-in",
  "wrong-password",
  "name-taken",
  "bad-name",
  "weak-password",
  "bad-invite",
  "revoked",
  "no-such-person",
  "offline",
  "no-answer",
  "peer-gone",
  "declined",
  "blocked",
  "no-path",
  "server-key-changed",
  "peer-key-changed",
  "unverified",
  "number-differs",
  "file-not-found",
  "file-unreadable",
  "file-changed",
  "disk-full",
  "not-writable",
  "too-large",
  "server-unreachable",
  "busy",
  "limited",
  "interrupted",
  "terminated",
  "bad-message",
  "unknown-type",
  "no-such-request",
  "no-such-session",
  "protocol-error",
  "answered-elsewhere",
  "cancelled",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export function isErrorCode(text: string): text is ErrorCode {
  return (errorCodes as readonly string[]).includes(text);
}

/** As `resetStream` and `stopSending` carry it. */
export function errorNumber(code: ErrorCode): number {
  return errorCodes.indexOf(code);
}

/** What a newer peer may send and we do not know is its own affair: it is gone, whatever the reason. */
export function errorCodeOf(number: number): ErrorCode {
  return errorCodes[number] ?? "peer-gone";
}

/** What the other end sent wrongly, or what cannot be sent. Carries no remote text: it may reach a log. */
export class WireError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "WireError";
    this.code = code;
  }
}
