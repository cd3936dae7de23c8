// Nothing is imported before it is known to be needed: `p2p version` must not wait for a database driver.
import type { Command } from "./modes/cli/command.ts";
import type { Context } from "./modes/cli/context.ts";
import type { Output } from "./modes/cli/output.ts";

/** How long a program that was told to stop waits for a slow reader of its last lines. */
const LAST_WORDS_MS = 1_000;

process.exit(await main(process.argv.slice(2)));

/** argv → one mode; signals → AbortController; errors → exit status. */
async function main(argv: readonly string[]): Promise<number> {
  const { makeContext, openEarlyOutput, readCommandLine } = await import("./modes/cli/start.ts");
  const controller = new AbortController();
  let output = openEarlyOutput(argv);
  try {
    const { abortOnBrokenPipe } = await import("./modes/runtime/signals.ts");
    abortOnBrokenPipe(controller);
    const { command, settings, folder } = readCommandLine(argv);
    if (folder === null) return await answer(command, output);
    const context = makeContext(command, settings, controller.signal);
    output = context.output;
    await guard(controller, output);
    return await runMode(command, context, folder);
  } catch (error) {
    return output.fatal(error);
  } finally {
    await lastWords(output, controller.signal);
  }
}

/** What needs neither folder nor mode. */
async function answer(command: Command, output: Output): Promise<number> {
  if (command.kind === "help") {
    const { helpText } = await import("./modes/cli/usage.ts");
    process.stdout.write(`${helpText(command.topic)}\n`);
  } else output.event((await import("./modes/cli/build-info.ts")).versionEvent());
  return 0;
}

async function runMode(command: Command, context: Context, folder: string): Promise<number> {
  const { isServerCommand } = await import("./modes/cli/command.ts");
  if (command.kind === "version" || command.kind === "help") return answer(command, context.output);
  if (isServerCommand(command)) {
    return (await import("./modes/server/server.ts")).runServer(command, { ...context, data: folder });
  }
  const { runPeer } = await import("./modes/peer/peer.ts");
  // A server ends well when it is told to; a person's command that was cut off says so, whatever it made of it.
  const status = await runPeer(command, { ...context, home: folder }).catch((error: unknown) => {
    context.signal.throwIfAborted();
    throw error;
  });
  context.signal.throwIfAborted();
  return status;
}

/** Signals, and a last resort for errors that no callback caught: say so, give the terminal back, end. */
async function guard(controller: AbortController, output: Output): Promise<void> {
  const { abortOnSignals, restoreTerminal } = await import("./modes/runtime/signals.ts");
  abortOnSignals(controller, (status) => process.exit(status));
  const die = (error: unknown): void => {
    restoreTerminal();
    const status = output.fatal(error);
    void lastWords(output, AbortSignal.abort()).finally(() => process.exit(status));
  };
  process.on("uncaughtException", die);
  process.on("unhandledRejection", die);
}

/** A reader of our output may take its time, unless somebody wants us gone. */
async function lastWords(output: Output, signal: AbortSignal): Promise<void> {
  const told = new Promise<void>((resolve) => {
    const soon = (): void => void setTimeout(resolve, LAST_WORDS_MS);
    if (signal.aborted) soon();
    else signal.addEventListener("abort", soon, { once: true });
  });
  await Promise.race([output.flush(), told]);
}
