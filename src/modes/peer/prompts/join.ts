import type { Terminal } from "../../cli/context.ts";
import { type JoinLine, parseJoinLine } from "../../cli/join-line.ts";
import { parseName, parseNewName } from "../../cli/names.ts";
import { problemFrom, prompt } from "./prompt.ts";

/** Null means the person backed out. */
export async function askJoinLine(terminal: Terminal, signal: AbortSignal): Promise<JoinLine | null> {
  const answer = await prompt(terminal, signal, ({ text }, streams) =>
    text({
      ...streams,
      message: "Paste the join line that you were given",
      placeholder: "p2p://HOST:7420/#KEY.INVITE",
      validate: problemFrom(parseJoinLine),
    }),
  );
  return answer === null ? null : parseJoinLine(answer);
}

/** The name of an account that exists (`login`) or is to be made (`register`). @param before what was typed the last time */
export async function askName(
  terminal: Terminal,
  signal: AbortSignal,
  kind: "register" | "login",
  before: string,
): Promise<string | null> {
  const parse = kind === "register" ? parseNewName : parseName;
  const message = kind === "register" ? "What do you want to be called?" : "What is the name of your account?";
  const answer = await prompt(terminal, signal, ({ text }, streams) =>
    text({ ...streams, message, initialValue: before, validate: problemFrom(parse) }),
  );
  return answer === null ? null : parse(answer);
}
