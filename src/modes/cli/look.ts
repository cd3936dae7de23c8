import { isatty } from "node:tty";
import type { Settings } from "./settings.ts";

/** How much is said and how it looks. */
export interface Look {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly plain: boolean;
  readonly color: "auto" | "always" | "never";
}

/** Which of the standard streams are terminals. */
export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function terminals(): Streams {
  return { stdin: isatty(0), stdout: isatty(1), stderr: isatty(2) };
}

export function lookOf(settings: Settings): Look {
  const { quiet, verbose, plain } = settings;
  return { json: settings.get("json"), quiet, verbose, plain, color: settings.get("color") };
}

/** What holds until the settings are read, for errors among them. */
export function plainLook(json: boolean): Look {
  return { json, quiet: false, verbose: false, plain: false, color: "auto" };
}

/** May questions be asked? They stand on stderr; a program that reads JSON cannot answer any. */
export function mayAsk(streams: Streams, json: boolean): boolean {
  return streams.stdin && streams.stderr && !json;
}

/** May stderr carry colours? `--color` settles it; else a terminal, unless `NO_COLOR` (any value), `TERM=dumb` or `--plain` say no. */
export function mayColor(look: Look, env: Environment, stderrIsTerminal: boolean): boolean {
  if (look.color !== "auto") return look.color === "always";
  return stderrIsTerminal && !look.plain && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

/** May a line on stderr be drawn over, as progress is? */
export function mayRedraw(look: Look, env: Environment, stderrIsTerminal: boolean): boolean {
  return stderrIsTerminal && !look.plain && !look.json && env["TERM"] !== "dumb";
}
