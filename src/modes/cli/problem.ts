import { UserError } from "./errors.ts";

/** A mistake on the command line, exit 2. */
export function usageError(message: string, hint: string): UserError {
  return new UserError("usage", message, { hint });
}

/** A needed answer that no flag gives, where nobody can be asked. */
export function missingAnswer(what: string, flag: string): UserError {
  return usageError(`${what} is missing, and there is no terminal to ask at`, `add ${flag}`);
}
