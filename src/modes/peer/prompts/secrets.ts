import type { Terminal } from "../../cli/context.ts";
import { problemWithPassword } from "../../cli/password-file.ts";
import { prompt } from "./prompt.ts";

/** Null means the person backed out. */
export function askPassword(
  terminal: Terminal,
  signal: AbortSignal,
  message = "Your password",
): Promise<string | null> {
  return prompt(terminal, signal, ({ password }, streams) =>
    password({ ...streams, message, validate: (typed) => problemWithPassword(typed ?? "") ?? undefined }),
  );
}

/** Asked twice. */
export async function askNewPassword(terminal: Terminal, signal: AbortSignal): Promise<string | null> {
  const chosen = await askPassword(
    terminal,
    signal,
    "Choose a password: 10 characters or more, four or five words are good",
  );
  if (chosen === null) return null;
  const validate = (typed: string | undefined): string | undefined =>
    typed === chosen ? undefined : "the two differ; Esc goes back to choose another";
  const again = await prompt(terminal, signal, ({ password }, streams) =>
    password({ ...streams, message: "The same password again", validate }),
  );
  return again === null ? askNewPassword(terminal, signal) : again;
}

/** @param fingerprint the server's key, as the server itself shows it. @returns false also when the person backed out */
export async function askTrust(terminal: Terminal, signal: AbortSignal, fingerprint: string): Promise<boolean> {
  const answer = await prompt(terminal, signal, ({ log, confirm }, streams) => {
    log.message(["The line names no key. The server shows this one:", fingerprint], streams);
    return confirm({
      ...streams,
      message: "Is it the key that the operator of the server told you?",
      initialValue: false,
    });
  });
  return answer ?? false;
}
