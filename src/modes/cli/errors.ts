import type { ErrorCode } from "../../wire/errors.ts";

/** Whose fault it is, as seen from this process. */
export type ErrorSide = "local" | "remote" | "server";

export interface UserErrorOptions extends ErrorOptions {
  /** What to try next; lower case, no full stop. */
  readonly hint?: string;
  readonly side?: ErrorSide;
}

/** Something the person at the terminal can mend: a stable code for programs, a message and a next step for people. */
export class UserError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly side: ErrorSide;
  /** @param message "the action that failed: the state found", lower case, no full stop */
  constructor(code: ErrorCode, message: string, options: UserErrorOptions = {}) {
    super(message, options);
    this.name = "UserError";
    this.code = code;
    this.hint = options.hint;
    this.side = options.side ?? "local";
  }
}
