import { versionEvent } from "../../cli/build-info.ts";
import type { CliEvent } from "../../cli/events.ts";
import { UserError } from "../../cli/errors.ts";
import { type JoinLine, parseJoinLine } from "../../cli/join-line.ts";

/** A server that runs as long as this program. */
export interface OwnServer extends AsyncDisposable {
  /** With an invitation for friends. */
  readonly line: JoinLine;
}

/** What starts this very program. */
export function selfCommand(): readonly string[] {
  return versionEvent().commit === "source" ? [process.execPath, Bun.main] : [process.execPath];
}

/** @param self see {@link selfCommand}. @throws UserError why it does not run, in its own words */
export async function startOwnServer(self: readonly string[], signal: AbortSignal): Promise<OwnServer> {
  const child = Bun.spawn([...self, "server", "--json"], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await child.exited;
  };
  const callOff = (): void => child.kill("SIGTERM");
  signal.addEventListener("abort", callOff, { once: true });
  try {
    const ready = await firstEvent(child.stdout, "ready");
    const line = parseJoinLine(ready.join);
    return { line: line.invite === null ? await invitation(self) : line, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal.removeEventListener("abort", callOff);
  }
}

/** Ten people within a week, as the first one of a server. */
async function invitation(self: readonly string[]): Promise<JoinLine> {
  const command = [...self, "server", "invite", "--uses", "10", "--days", "7", "--json"];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  return parseJoinLine((await firstEvent(child.stdout, "invite")).join);
}

async function firstEvent<Name extends CliEvent["event"]>(
  stdout: ReadableStream<Uint8Array>,
  name: Name,
): Promise<Extract<CliEvent, { event: Name }>> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdout) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const event = JSON.parse(line) as CliEvent;
      if (event.event === name) return event as Extract<CliEvent, { event: Name }>;
      if (event.event === "error") throw refused(event);
    }
  }
  throw new UserError("internal", "the server ended before it was ready", { side: "server" });
}

function refused({ code, message, hint }: CliEvent & { event: "error" }): UserError {
  return new UserError(code, `cannot start a server here: ${message}`, { hint, side: "server" });
}
