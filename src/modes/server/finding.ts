import { UserError } from "../cli/errors.ts";
import type { FindingEvent } from "../cli/events.ts";

/** One line of `--check`, or what a running server has noticed. */
export type Finding = Omit<FindingEvent, "event">;

/** With this the server would not start. */
export function wrong(message: string, hint: string): Finding {
  return { level: "wrong", message, hint };
}

/** It would start, and the operator should know. */
export function warning(message: string, hint: string): Finding {
  return { level: "warning", message, hint };
}

/** @returns what `work` gives, or null when it ends in a `UserError`, which becomes one of `findings` */
export async function attempt<T>(findings: Finding[], work: () => T | Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    findings.push(wrong(error.message, error.hint ?? "see p2p help server"));
    return null;
  }
}
