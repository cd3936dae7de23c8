import type { Terminal } from "../../cli/context.ts";
import { type PathRules, typedPaths } from "../chat/typed-paths.ts";
import { Draft } from "./draft.ts";
import { prompt } from "./prompt.ts";

/** Typed so far; it outlives a question that was called off. */
export interface Begun {
  text: string;
}

/** Files to send, dropped on the terminal or typed. Null means the person backed out. */
export async function askPaths(
  terminal: Terminal,
  signal: AbortSignal,
  rules: PathRules,
  begun: Begun,
): Promise<readonly string[] | null> {
  using draft = new Draft(terminal.stdin, begun.text);
  const validate = (typed: string | undefined): string | undefined =>
    problemWith(typedPaths(typed ?? "", rules), rules);
  const message = "Which file? Type its path, or drop it here";
  const answer = await prompt(terminal, signal, ({ text }, streams) =>
    text({ ...streams, message, initialValue: begun.text, validate }),
  );
  begun.text = draft.text;
  return answer === null ? null : typedPaths(answer, rules);
}

function problemWith(paths: readonly string[], { exists }: PathRules): string | undefined {
  if (paths.length === 0) return "name a file; Esc goes back";
  const missing = paths.find((path) => !exists(path));
  return missing === undefined ? undefined : `there is no ${missing}`;
}
