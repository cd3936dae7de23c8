import { join } from "node:path";
import type { CliEvent } from "../../src/modes/cli/events.ts";
import { root } from "./sources.ts";

export type EventName = CliEvent["event"];
/** The member of the union that may carry this name; several names share one. */
export type EventNamed<Name extends EventName, Event = CliEvent> = Event extends { readonly event: infer Names }
  ? Name extends Names
    ? Event
    : never
  : never;

export interface StartOptions {
  /** Beside the few variables that every run gets; nothing else comes from the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Text that is the whole input, or "open" to write it step by step. Left out, there is no input. */
  readonly stdin?: string;
  /** Words in front of the command: `lab.inside("a")`, or an emulator. */
  readonly inside?: readonly string[];
  /** Another executable than the one for this machine. */
  readonly executable?: string;
}

export interface Finished {
  /** 128 and the signal's number when a signal ended it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly events: readonly CliEvent[];
}

/** The executable for this machine; `sh scripts/compile.sh` makes it. */
export const binary = join(root, process.platform === "win32" ? "dist/p2p.exe" : "dist/p2p");

/** Far beyond what any wait takes on a slow machine: to reach it is a failure, never a measurement. */
const DEADLINE_MS = 30_000;

/** Starts `p2p ARGS`. Dispose of it (`await using`), and it is ended if it still runs. */
export function start(args: readonly string[], options: StartOptions = {}): P2p {
  return new P2p(args, options);
}

/** Runs `p2p ARGS` to its end. */
export async function run(args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  await using p2p = start(args, options);
  return await p2p.finished();
}

/** A running `p2p`, and what it has said so far. */
export class P2p implements AsyncDisposable {
  stdout = "";
  stderr = "";
  /** The lines of stdout under `--json`. */
  readonly events: CliEvent[] = [];
  readonly #args: readonly string[];
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #unclaimed: CliEvent[] = [];
  readonly #ended: Promise<number>;
  #restOfLine = "";
  #nonsense: string | null = null;
  #over = false;
  #news = Promise.withResolvers<void>();

  constructor(args: readonly string[], options: StartOptions) {
    this.#args = args;
    this.#child = Bun.spawn([...(options.inside ?? []), options.executable ?? binary, ...args], {
      // What runs beside the tests' own network is to leave its router alone.
      env: { ...environment(), ...(options.inside === undefined && { P2P_NO_PORT_MAPPING: "1" }), ...options.env },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    if (options.stdin !== "open") this.endInput(options.stdin);
    this.#ended = this.#follow();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Its exit status, once all it said has been read. */
  get exited(): Promise<number> {
    return this.#ended;
  }

  /** Only with `stdin: "open"`. */
  write(text: string): void {
    this.#feed((stdin) => [stdin.write(text), stdin.flush()]);
  }

  endInput(lastText = ""): void {
    this.#feed((stdin) => [...(lastText === "" ? [] : [stdin.write(lastText)]), stdin.end()]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /**
   * The earliest event of that name that no call has returned yet, waited for if need be. So events may be asked for
   * in another order than they come.
   * @throws Error with all that was said, when it ends or the deadline passes without one
   */
  async waitFor<Name extends EventName>(
    name: Name,
    where: (event: EventNamed<Name>) => boolean = () => true,
    withinMs = DEADLINE_MS,
  ): Promise<EventNamed<Name>> {
    const isIt = (event: CliEvent): event is EventNamed<Name> =>
      event.event === name && where(event as EventNamed<Name>);
    return this.#until(() => claim(this.#unclaimed, isIt), `event "${name}"`, withinMs);
  }

  /** Waits until stdout and stderr together contain it. @returns the match */
  async waitForText(text: string | RegExp, withinMs = DEADLINE_MS): Promise<string> {
    const pattern = typeof text === "string" ? new RegExp(RegExp.escape(text)) : text;
    const look = () => pattern.exec(this.stdout)?.[0] ?? pattern.exec(this.stderr)?.[0];
    return this.#until(look, `text ${pattern}`, withinMs);
  }

  async finished(withinMs = DEADLINE_MS): Promise<Finished> {
    await this.#until(() => this.#over || undefined, "its end", withinMs);
    return { exitCode: await this.#ended, stdout: this.stdout, stderr: this.stderr, events: this.events };
  }

  /** All events from the first, until it ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<CliEvent> {
    for (let at = 0; ; at++) {
      while (at >= this.events.length && !this.#over) await this.#news.promise;
      const event = this.events[at];
      if (event === undefined) return;
      yield event;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** A program that has ended reads no more; that is for its exit status to tell. */
  #feed(write: (stdin: Bun.FileSink) => readonly (number | Promise<number>)[]): void {
    const quiet = () => undefined;
    try {
      for (const written of write(this.#child.stdin)) Promise.resolve(written).catch(quiet);
    } catch {
      quiet();
    }
  }

  async #follow(): Promise<number> {
    const json = this.#args.includes("--json");
    await Promise.all([
      readText(this.#child.stdout, (text) => {
        this.stdout += text;
        if (json) this.#readEvents(text);
        this.#tell();
      }),
      readText(this.#child.stderr, (text) => {
        this.stderr += text;
        this.#tell();
      }),
    ]);
    const status = await this.#child.exited;
    this.#over = true;
    this.#tell();
    return status;
  }

  #readEvents(text: string): void {
    const lines = (this.#restOfLine + text).split("\n");
    this.#restOfLine = lines.pop() ?? "";
    for (const line of lines) {
      try {
        const event = JSON.parse(line) as CliEvent;
        this.events.push(event);
        this.#unclaimed.push(event);
      } catch {
        this.#nonsense ??= line;
      }
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  async #until<T>(look: () => T | undefined, what: string, withinMs: number): Promise<T> {
    const deadline = Promise.withResolvers<"late">();
    const timer = setTimeout(() => deadline.resolve("late"), withinMs);
    try {
      for (;;) {
        if (this.#nonsense !== null) throw this.#failure(`stdout under --json is not JSON: ${this.#nonsense}`);
        const found = look();
        if (found !== undefined) return found;
        if (this.#over) throw this.#failure(`ended without ${what}`);
        if ((await Promise.race([this.#news.promise, deadline.promise])) === "late") {
          throw this.#failure(`${what} did not come within ${withinMs / 1000} s`);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(what: string): Error {
    const status = this.#over ? ` (exit status ${this.#child.exitCode ?? this.#child.signalCode ?? "none"})` : "";
    return new Error(`p2p ${this.#args.join(" ")}: ${what}${status}\nstdout:\n${this.stdout}\nstderr:\n${this.stderr}`);
  }
}

/** Nobody's home: a test that forgets `--home` must not touch that of the person who runs it. */
export function environment(): Record<string, string> {
  const kept = ["PATH", "TMPDIR", "SystemRoot"].map((name) => [name, process.env[name]] as const);
  const set = kept.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(set), HOME: "/nonexistent", LC_ALL: "C.UTF-8" };
}

function claim<T, U extends T>(items: T[], isIt: (item: T) => item is U): U | undefined {
  const item = items.find(isIt);
  if (item !== undefined) items.splice(items.indexOf(item), 1);
  return item;
}

async function readText(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}
