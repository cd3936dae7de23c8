import type { Terminal } from "../../cli/context.ts";
import { parseName } from "../../cli/names.ts";
import { problemFrom, prompt } from "./prompt.ts";

/** Somebody who stands in no list. Null means the person backed out. */
export async function askPerson(terminal: Terminal, signal: AbortSignal): Promise<string | null> {
  const answer = await prompt(terminal, signal, ({ text }, streams) =>
    text({ ...streams, message: "What is their name?", validate: problemFrom(parse) }),
  );
  return answer === null ? null : parse(answer);
}

/** A name, perhaps as it stands on the command line. @throws UserError `bad-name` */
function parse(typed: string): string {
  return parseName(typed.trim().replace(/^@/, ""));
}
