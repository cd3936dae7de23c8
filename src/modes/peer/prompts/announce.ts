import type { Terminal } from "../../cli/context.ts";
import { clipToWidth } from "../../cli/sanitize.ts";
import { systemClock } from "../../runtime/clock.ts";
import { Keyboard } from "../chat/keyboard.ts";
import { Stage } from "./stage.ts";

/** Longer than a finger is on its way, short for whoever waits. Milliseconds. */
const NOTICE_MS = 500;

/**
 * Says that a question comes which nobody asked for. It takes the place of something else: what is pressed in this moment was
 * meant for that, and answers nothing. Nothing of it stays on the screen.
 * @param text our own words, on one line
 * @param signal ends it at once
 */
export async function announce(terminal: Terminal, signal: AbortSignal, text: string): Promise<void> {
  if (signal.aborted) return;
  const stage = new Stage(terminal);
  const keyboard = new Keyboard(terminal.stdin, systemClock, ignore, ignore);
  stage.write(`${clipToWidth(text, Math.max(1, terminal.columns() - 1))}\n`);
  const { promise, resolve } = Promise.withResolvers<void>();
  const callOff = systemClock.after(NOTICE_MS, resolve);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  callOff();
  keyboard[Symbol.dispose]();
  stage.erase();
  stage.destroy();
}

function ignore(): void {
  // What is pressed now is for nobody.
}
