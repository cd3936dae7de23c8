import type { Readable, Writable } from "node:stream";
import type * as clackPrompts from "@clack/prompts";
import type { Terminal } from "../../cli/context.ts";
import { Stage } from "./stage.ts";

type Clack = typeof clackPrompts;

/** What every prompt of the library takes. */
interface Streams {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

/**
 * Asks one question. The library is loaded now, so that no command without questions pays for it.
 * @param signal calls the question off; nothing of it stays on the screen then
 * @returns null when the person backed out or the question was called off
 */
export async function prompt<T>(
  terminal: Terminal,
  signal: AbortSignal,
  ask: (clack: Clack, streams: Streams) => Promise<T | typeof clackPrompts.CANCEL_SYMBOL>,
): Promise<T | null> {
  const clack = await import("@clack/prompts");
  if (signal.aborted) return null;
  const stage = new Stage(terminal);
  // Of its own: the library never takes its listener off a signal.
  const controller = new AbortController();
  const callOff = (): void => controller.abort();
  signal.addEventListener("abort", callOff, { once: true });
  try {
    const answer = await ask(clack, { input: terminal.stdin, output: stage, signal: controller.signal });
    if (controller.signal.aborted) stage.erase();
    return clack.isCancel(answer) || controller.signal.aborted ? null : answer;
  } finally {
    signal.removeEventListener("abort", callOff);
    stage.destroy();
  }
}

/** What a parser of the command line says of a typed answer. @returns undefined when it takes it */
export function problemFrom(parse: (typed: string) => unknown): (typed: string | undefined) => string | undefined {
  return (typed) => {
    try {
      parse(typed ?? "");
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  };
}
