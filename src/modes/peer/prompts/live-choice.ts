import type { Readable } from "node:stream";
import type { Terminal } from "../../cli/context.ts";
import type { Choice } from "./choice.ts";
import { prompt } from "./prompt.ts";

/** Something shown that changes while it is shown. */
export interface Live<Value extends string> {
  readonly message: string;
  /** Grows at its end only, so that nothing moves under the cursor. */
  readonly choices: readonly Choice<Value>[];
  /** @returns how to stop hearing of changes */
  watch(changed: () => void): () => void;
}

/** As a question with fixed choices; it is drawn anew whenever something changes. */
export function askLiveChoice<Value extends string>(
  terminal: Terminal,
  signal: AbortSignal,
  live: Live<Value>,
): Promise<Value | null> {
  return prompt(terminal, signal, async ({ select, isCancel }, streams) => {
    const options = live.choices.map(optionOf);
    const stop = live.watch(() => {
      for (const [at, choice] of live.choices.entries()) options[at] = optionOf(choice);
      redraw(streams.input);
    });
    try {
      const message = () => live.message;
      // The library reads both each time it draws.
      const answer = await select<string>({
        ...streams,
        get message() {
          return message();
        },
        options,
        showInstructions: false,
      });
      return isCancel(answer) ? answer : (answer as Value); // one of those above
    } finally {
      stop();
    }
  });
}

function optionOf({ value, label, hint }: Choice<string>): { value: string; label: string; hint?: string } {
  return { value, label, ...(hint !== undefined && { hint }) };
}

/** The library draws after every key, and this one means nothing to it. */
function redraw(input: Readable): void {
  input.emit("keypress", undefined, { name: "nothing", ctrl: false, meta: false, shift: false, sequence: "" });
}
