import type { P2p } from "../../support/binary.ts";
import type { Person } from "../../support/community.ts";
import type { Village } from "../village.ts";
import { Overheard } from "./overheard.ts";

export interface TalkOptions {
  /** Further flags of both programs, or of one of them. */
  readonly flags?: readonly string[];
  readonly callerFlags?: readonly string[];
  /** Who rings whom; Ana rings Ben where it is not said. */
  readonly caller?: "ana" | "ben";
}

/** What a wait may take where nothing is said of it: to reach it is a failure, never a measurement. */
const DEADLINE_MS = 30_000;

/**
 * One chat that stays open, seen from both ends. The lines said in it are counted at the end: each came once, and in order.
 * ```
 * await using talk = await Talk.begin(village);
 * const directMs = await talk.goesDirect(10_000);
 * await talk.say("hello");
 * ```
 */
export class Talk implements AsyncDisposable {
  readonly caller: Overheard;
  readonly answerer: Overheard;
  /** When the command was given. */
  readonly startedAt: number;
  readonly #said: string[] = [];
  #news = Promise.withResolvers<void>();

  private constructor(answerer: P2p, call: () => P2p) {
    const wake = () => this.#wake();
    this.answerer = new Overheard(answerer, wake);
    this.startedAt = performance.now();
    this.caller = new Overheard(call(), wake);
  }

  /** @returns once the first line has come to the other end */
  static async begin({ ana, ben }: Pick<Village, "ana" | "ben">, options: TalkOptions = {}): Promise<Talk> {
    const [from, to] = options.caller === "ben" ? [ben, ana] : [ana, ben];
    const { flags = [], callerFlags = [] } = options;
    const answerer = await to.receiving("--yes", "--verbose", ...flags);
    const talk = new Talk(answerer, () => startChat(from, to, [...flags, ...callerFlags]));
    try {
      await talk.say("the first line");
      return talk;
    } catch (error) {
      await talk[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** From the command to the line at the other end. */
  get firstByteMs(): number {
    return Math.round((this.answerer.lineTimes[0] ?? Number.NaN) - this.startedAt);
  }

  /** When the first of them knew of the other. */
  get metAt(): number {
    const times = [this.caller.connectedAt, this.answerer.connectedAt].filter((at) => at !== null);
    return Math.min(...times);
  }

  get isDirect(): boolean {
    return this.caller.isDirect && this.answerer.isDirect;
  }

  /** @returns milliseconds from both knowing of each other to both being on a direct path, or null when they are not in time */
  async goesDirect(withinMs: number): Promise<number | null> {
    if (!(await this.comes(() => this.isDirect, withinMs))) return null;
    return Math.round(Math.max(this.caller.kindAt, this.answerer.kindAt) - this.metAt);
  }

  /** Sends a line. @returns milliseconds until the other end shows it */
  async say(text: string, withinMs = DEADLINE_MS): Promise<number> {
    const at = this.#said.push(text) - 1;
    const since = performance.now();
    this.caller.program.write(`${text}\n`);
    if (!(await this.comes(() => this.answerer.lines.length > at, withinMs)))
      throw this.failure(`a line did not come within ${withinMs / 1000} s`);
    return Math.round((this.answerer.lineTimes[at] ?? Number.NaN) - since);
  }

  /** Waits for what both ends say. @returns whether it came in time */
  async comes(look: () => boolean, withinMs: number): Promise<boolean> {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), withinMs);
    try {
      while (!look()) if ((await Promise.race([this.#news.promise, late.promise])) === "late") return false;
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it as people do. @throws Error when a line is missing, doubled or out of order, or an end was not well */
  async end(): Promise<void> {
    this.caller.program.endInput();
    const status = await this.caller.program.exited;
    if (status !== 0) throw this.failure(`the caller ended with status ${status}`);
    if (JSON.stringify(this.answerer.lines) !== JSON.stringify(this.#said))
      throw this.failure(`said ${this.#said.length} lines, and ${this.answerer.lines.length} came`);
  }

  /** An error with all that both ends said. */
  failure(what: string): Error {
    const told = ({ program }: Overheard) => `${program.stdout}${program.stderr}`;
    return new Error(`${what}\n--- the caller:\n${told(this.caller)}--- the other:\n${told(this.answerer)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.caller.program[Symbol.asyncDispose]();
    await this.answerer.program[Symbol.asyncDispose]();
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}

function startChat(from: Person, to: Person, flags: readonly string[]): P2p {
  return from.startWith({ stdin: "open" }, "chat", to.name, "--verbose", ...flags);
}
