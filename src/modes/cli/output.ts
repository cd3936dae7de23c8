import type { Writable } from "node:stream";
import type { CliEvent, ErrorEvent } from "./events.ts";
import { type Rendered, renderEvent } from "./render.ts";
import { describeError, stackOf } from "./report.ts";
import { clipToWidth, sanitizeLine, sanitizeLines } from "./sanitize.ts";

export interface OutputOptions {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  /** Whether a status line may be drawn over. */
  readonly redraw: boolean;
  /** Width of stderr now. */
  readonly columns: () => number;
}

const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const RESET = "\u001b[0m";
const ERASE_LINE = "\r\u001b[K";
/** What JSON leaves as it is and a terminal might obey: DEL, C1, directions, invisible marks, line separators. */
// eslint-disable-next-line no-control-regex -- these are meant
const UNSAFE_IN_JSON = /[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/**
 * All that a program says: payload on stdout, everything else on stderr; with `--json` each event is a line on stdout. Text
 * is cleaned here, so that nobody has to remember to. A reader that went away is no error of the writer's.
 */
export class Output {
  readonly json: boolean;
  readonly #options: OutputOptions;
  #status = "";

  constructor(options: OutputOptions) {
    this.json = options.json;
    this.#options = options;
  }

  /** An event of the contract: a JSON line, or what a person reads of it. */
  event(event: CliEvent): void {
    if (this.json) this.#write(this.#options.stdout, jsonLine(event));
    else if (event.event === "error") this.#writeError(event);
    else for (const rendered of renderEvent(event)) this.#writeRendered(rendered);
  }

  /** Payload for a person, on stdout; with `--json` there is none beside the events. */
  print(text: string): void {
    if (!this.json) this.#write(this.#options.stdout, lines(text));
  }

  /** What is going on, on stderr. */
  note(text: string): void {
    if (!this.#options.quiet) this.#write(this.#options.stderr, lines(text));
  }

  /** As {@link note}, with `--verbose` only. */
  detail(text: string): void {
    if (this.#options.verbose) this.#write(this.#options.stderr, this.#painted(DIM, lines(text)));
  }

  /** A line that the next one replaces, such as progress; "" takes it away. Drawn on terminals only. */
  status(text: string): void {
    this.#drawStatus(sanitizeLine(text));
  }

  /** @returns the exit status that goes with it */
  error(thrown: unknown, extra: Partial<ErrorEvent> = {}): number {
    const event = { ...describeError(thrown, false), ...extra };
    if (this.json) this.event(event);
    else this.#writeError(event);
    const stack = stackOf(thrown);
    if (stack !== null) this.detail(stack);
    return event.exit;
  }

  /** As {@link error}, when the program ends with it: nothing may be said afterwards. Nobody is told of their own Ctrl-C. */
  fatal(thrown: unknown): number {
    const { code, exit } = describeError(thrown, true);
    if (!this.json && (code === "interrupted" || code === "terminated")) return exit;
    return this.error(thrown, { fatal: true });
  }

  /** Resolves when all was handed to the system, or nobody reads it any more. */
  async flush(): Promise<void> {
    this.status("");
    await Promise.all([flushed(this.#options.stdout), flushed(this.#options.stderr)]);
  }

  #writeRendered({ to, text }: Rendered): void {
    const { stdout, stderr, quiet, verbose } = this.#options;
    if (to === "stdout") this.#write(stdout, `${text}\n`);
    else if (to === "status") this.#drawStatus(text);
    else if (to === "stderr" ? !quiet : verbose) this.#write(stderr, `${text}\n`);
  }

  #drawStatus(text: string): void {
    const { redraw, quiet, columns, stderr } = this.#options;
    if (!redraw || quiet || (text === "" && this.#status === "")) return;
    this.#status = clipToWidth(text, columns() - 1);
    stderr.write(ERASE_LINE + this.#status);
  }

  #writeError(event: ErrorEvent): void {
    const label = this.#painted(RED, "p2p: error:");
    this.#write(this.#options.stderr, `${label} ${sanitizeLine(event.message)}\n`);
    this.#write(this.#options.stderr, `p2p: hint: ${sanitizeLine(event.hint)}\n`);
  }

  #painted(color: string, text: string): string {
    return this.#options.color ? color + text + RESET : text;
  }

  /** The status line makes way and comes back below. */
  #write(stream: Writable, text: string): void {
    if (this.#status !== "") this.#options.stderr.write(ERASE_LINE);
    stream.write(text);
    if (this.#status !== "") this.#options.stderr.write(this.#status);
  }
}

/** One line of the contract; `v` is the version of the whole format. */
export function jsonLine(event: CliEvent): string {
  const text = JSON.stringify({ v: 1, ...event });
  return `${text.replace(UNSAFE_IN_JSON, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}

function lines(text: string): string {
  return `${sanitizeLines(text).join("\n")}\n`;
}

function flushed(stream: Writable): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve();
  return new Promise((resolve) => stream.write("", () => resolve()));
}
