import { writeSync } from "node:fs";
import { UserError } from "../cli/errors.ts";

/** Cursor shown, bracketed paste off, colours off. */
const PLAIN_SCREEN = "\u001b[?25h\u001b[?2004l\u001b[0m";

const asked = {
  SIGINT: { code: "interrupted", status: 130 },
  SIGTERM: { code: "terminated", status: 143 },
  SIGHUP: { code: "terminated", status: 143 },
} as const;

/** The first signal asks for an orderly end through `controller`, with a UserError as its reason; a second one ends at once. */
export function abortOnSignals(controller: AbortController, exit: (status: number) => void): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const { code, status } = asked[signal];
    process.on(signal, () => {
      if (!controller.signal.aborted) return controller.abort(new UserError(code, code));
      restoreTerminal();
      exit(status);
    });
  }
}

/** A reader that went away ends the program as Ctrl-C does; without a handler the write would throw in the middle of something. */
export function abortOnBrokenPipe(controller: AbortController): void {
  process.stdout.on("error", () => controller.abort(new UserError("interrupted", "the reader of stdout went away")));
  process.stderr.on("error", () => {});
}

/** Undoes what prompts and screens do to a terminal. For sudden ends; whoever draws cleans up after itself otherwise. */
export function restoreTerminal(): void {
  try {
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    if (process.stderr.isTTY) writeSync(2, PLAIN_SCREEN);
  } catch {
    // The terminal is gone; there is nothing to restore.
  }
}
