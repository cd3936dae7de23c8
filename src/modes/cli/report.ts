import { isErrorCode, WireError } from "../../wire/errors.ts";
import { type ErrorSide, UserError } from "./errors.ts";
import type { ErrorEvent } from "./events.ts";
import { exitStatus, lastResortHint, shownCode } from "./exit-codes.ts";

/**
 * What a person or a program hears of anything thrown: a UserError as it is, a WireError as the other end's fault, an error
 * of a store (it carries one of our codes) as this side's, and the rest as our own defect.
 */
export function describeError(thrown: unknown, fatal: boolean): ErrorEvent {
  const { code, message, hint, side } = known(thrown) ?? defect(thrown);
  const shown = shownCode(code, side);
  return {
    event: "error",
    code: shown,
    message,
    hint: hint ?? lastResortHint(shown),
    side,
    exit: exitStatus(shown),
    fatal,
  };
}

/** Where in our code an unexpected error arose; null for errors that people can mend. */
export function stackOf(thrown: unknown): string | null {
  return known(thrown) === null && thrown instanceof Error ? (thrown.stack ?? null) : null;
}

type Known = Pick<UserError, "code" | "message" | "hint" | "side">;

function known(thrown: unknown): Known | null {
  if (thrown instanceof UserError) return thrown;
  if (!(thrown instanceof Error) || !("code" in thrown)) return null;
  const { code } = thrown;
  if (typeof code !== "string" || !isErrorCode(code)) return null;
  const side: ErrorSide = thrown instanceof WireError ? "remote" : "local";
  const hint = "hint" in thrown && typeof thrown.hint === "string" ? thrown.hint : undefined;
  return { code, message: thrown.message, hint, side };
}

function defect(thrown: unknown): Known {
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return { code: "internal", message: `unexpected: ${message}`, hint: undefined, side: "local" };
}
