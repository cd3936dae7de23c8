import type { P2p } from "../../support/binary.ts";
import type { Person } from "../../support/community.ts";
import { Overheard } from "./overheard.ts";

export interface TalkOptions {
  /** Further flags of both programs, or of one of them. */
  readonly flags?: readonly string[];
  readonly callerFlags?: readonly string[];
  readonly answererFlags?: readonly string[];
  /** As soon as the caller knows of the other. */
  readonly onMet?: () => Promise<void>;
  /** How long the other can be found already before it is rung. */
  readonly waitMs?: number;
  /** Who rings whom; Ana rings Ben where it is not said. */
  readonly caller?: "ana" | "ben";
}

export interface Couple {
  readonly ana: Person;
  readonly ben: Person;
}

/** What a wait may take where nothing is said of it: to reach it is a failure, never a measurement. */
const DEADLINE_MS = 30_000;
/** Between two lines of one who keeps talking. Milliseconds. */
const LINE_EVERY_MS = 50;

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
  #isAlone = false;
  #news = Promise.withResolvers<void>();

  private constructor(answerer: P2p, call: () => P2p) {
    const wake = () => this.#wake();
    this.answerer = new Overheard(answerer, wake);
    this.startedAt = performance.now();
    this.caller = new Overheard(call(), wake);
  }

  /** @returns once the first line has come to the other end */
  static async begin({ ana, ben }: Couple, options: TalkOptions = {}): Promise<Talk> {
    const [from, to] = options.caller === "ben" ? [ben, ana] : [ana, ben];
    const { flags = [], callerFlags = [], answererFlags = [] } = options;
    const answerer = await to.receiving("--yes", "--verbose", ...flags, ...answererFlags);
    if (options.waitMs !== undefined) await Bun.sleep(options.waitMs);
    const talk = new Talk(answerer, () => startChat(from, to, [...flags, ...callerFlags]));
    try {
      if (options.onMet !== undefined && (await talk.comes(() => talk.caller.connectedAt !== null, DEADLINE_MS)))
        await options.onMet();
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
  say(text: string): Promise<number> {
    return this.sayDuring(text, () => Promise.resolve());
  }

  /** Sends a line, and then something happens. @returns milliseconds from its end until the other end shows the line */
  async sayDuring(text: string, during: () => Promise<unknown>, withinMs = DEADLINE_MS): Promise<number> {
    const at = this.#said.push(text) - 1;
    this.caller.program.write(`${text}\n`);
    await during();
    const since = performance.now();
    if (!(await this.comes(() => this.answerer.lines.length > at, withinMs)))
      throw this.failure(`the line "${text}" did not come within ${withinMs / 1000} s`);
    return Math.round(Math.max(0, (this.answerer.lineTimes[at] ?? Number.NaN) - since));
  }

  /** Says line after line while something happens. @returns the longest time that none came, once all have come */
  async keepsTalking(during: () => Promise<unknown>): Promise<number> {
    const first = this.#said.length;
    const since = performance.now();
    const timer = setInterval(() => this.#sayOn(), LINE_EVERY_MS);
    try {
      await during();
    } finally {
      clearInterval(timer);
    }
    if (!(await this.comes(() => this.answerer.lines.length >= this.#said.length, DEADLINE_MS)))
      throw this.failure(`${this.#said.length - this.answerer.lines.length} lines did not come`);
    const times = [since, ...this.answerer.lineTimes.slice(first)];
    return Math.round(Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at))));
  }

  /** All that has been said so far comes, and what is said next. @returns when, or null when it does not in time */
  async catchesUp(withinMs: number): Promise<number | null> {
    const count = this.#said.length + 1;
    if (!(await this.comes(() => this.answerer.lines.length >= count, withinMs))) return null;
    return this.answerer.lineTimes[count - 1] ?? null;
  }

  /** Waits for what both ends say. @returns whether it came in time, while both were there */
  async comes(look: () => boolean, withinMs: number): Promise<boolean> {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), withinMs);
    try {
      while (!look()) {
        if (this.answerer.isOver || (this.caller.isOver && !this.#isAlone)) return false;
        if ((await Promise.race([this.#news.promise, late.promise])) === "late") return false;
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the caller's program by force. */
  async leave(signal: NodeJS.Signals): Promise<void> {
    this.#isAlone = true;
    this.caller.program.signal(signal);
    await this.caller.program.exited;
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
    const told = ({ program }: Overheard) => `${withoutFigures(program.stdout)}${program.stderr}`;
    return new Error(`${what}\n--- the caller:\n${told(this.caller)}--- the other:\n${told(this.answerer)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.caller.program[Symbol.asyncDispose]();
    await this.answerer.program[Symbol.asyncDispose]();
  }

  #sayOn(): void {
    const text = `line ${this.#said.length}`;
    this.#said.push(text);
    this.caller.program.write(`${text}\n`);
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }
}

/** Of what comes once a second, the last line is enough. */
function withoutFigures(stdout: string): string {
  const lines = stdout.split("\n");
  const last = lines.findLastIndex(isFigures);
  return lines.filter((line, index) => index === last || !isFigures(line)).join("\n");
}

function isFigures(line: string): boolean {
  return line.includes('"event":"stats"');
}

function startChat(from: Person, to: Person, flags: readonly string[]): P2p {
  return from.startWith({ stdin: "open" }, "chat", to.name, "--verbose", ...flags);
}
