import type { Terminal } from "../../cli/context.ts";
import { UserError } from "../../cli/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Keyboard } from "../chat/keyboard.ts";
import type { Key } from "../chat/keys.ts";

/** Runs something that takes its time; Esc and Ctrl-C call it off, as does `signal`. */
export async function watched<T>(
  terminal: Terminal,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const callOff = (): void => controller.abort(new UserError("cancelled", "you called it off"));
  const onKey = (key: Key): void => {
    if (key.kind === "press" && (key.name === "escape" || key.name === "interrupt")) callOff();
  };
  const keyboard = new Keyboard(terminal.stdin, clock, onKey, callOff);
  try {
    return await work(AbortSignal.any([signal, controller.signal]));
  } finally {
    keyboard[Symbol.dispose]();
  }
}
