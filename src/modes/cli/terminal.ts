import type { Terminal } from "./context.ts";
import { type Look, mayAsk, mayColor, mayRedraw, type Streams } from "./look.ts";
import { Output } from "./output.ts";

const DEFAULT_COLUMNS = 80;

type Environment = Readonly<Record<string, string | undefined>>;

/** The process's own streams. They open at first use: touching stdin alone costs milliseconds. */
export function openTerminal(look: Look, streams: Streams, env: Environment): Terminal {
  const interactive = mayAsk(streams, look.json);
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    interactive,
    fullScreen: interactive && streams.stdout && !look.plain && env["TERM"] !== "dumb",
    color: mayColor(look, env, streams.stderr),
    columns,
  };
}

export function openOutput(look: Look, streams: Streams, env: Environment): Output {
  return new Output({
    stdout: process.stdout,
    stderr: process.stderr,
    json: look.json,
    quiet: look.quiet,
    verbose: look.verbose,
    color: mayColor(look, env, streams.stderr),
    redraw: mayRedraw(look, env, streams.stderr),
    columns,
  });
}

function columns(): number {
  return process.stderr.columns || DEFAULT_COLUMNS;
}
