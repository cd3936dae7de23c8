import type { Terminal } from "../../cli/context.ts";
import { prompt } from "./prompt.ts";

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
  readonly hint?: string;
}

/** Null means the person backed out. */
export function askChoice<Value extends string>(
  terminal: Terminal,
  signal: AbortSignal,
  message: string,
  choices: readonly Choice<Value>[],
): Promise<Value | null> {
  return prompt(terminal, signal, async ({ select, isCancel }, streams) => {
    const options = choices.map(({ value, label, hint }) => ({ value, label, ...(hint !== undefined && { hint }) }));
    const answer = await select<string>({ ...streams, message, options, showInstructions: false });
    return isCancel(answer) ? answer : (answer as Value); // one of those above
  });
}
