import type { ErrorCode } from "../wire/errors.ts";

export interface StoreErrorOptions extends ErrorOptions {
  /** What to try next; lower case, no full stop. */
  readonly hint?: string;
}

/**
 * What a store refuses or cannot do. Codes:
 * - `name-taken`, `bad-name`, `bad-invite`, `already-registered`, `limited`: the rule that a request ran into
 * - `busy`: another process holds the store, `disk-full`, `not-writable`, `file-unreadable`: the place it lives in
 * - `config`: the store cannot be opened as it stands; the message names the file
 *
 * A wrong type or length is our own defect and stays a TypeError.
 */
export class StoreError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** @param message "the action that failed: the state found", lower case, no full stop */
  constructor(code: ErrorCode, message: string, options: StoreErrorOptions = {}) {
    super(message, options);
    this.name = "StoreError";
    this.code = code;
    this.hint = options.hint;
  }
}
