import type { Random } from "../../../wire/core.ts";
import { UserError } from "../../cli/errors.ts";
import { way } from "../../cli/render.ts";
import { describeError } from "../../cli/report.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { PathInfo, PeerSession, SessionEnd } from "../peer-session.ts";
import type { SessionRates } from "../session-figures.ts";
import { isRelayed } from "../session-path.ts";
import { endReason } from "../transfer/failure.ts";
import { type CommandOptions, Commands } from "./commands.ts";
import { Conversation, newId } from "./conversation.ts";
import { messagesOf } from "./own-text.ts";
import { Pulse } from "./pulse.ts";
import { type Question, Questions } from "./questions.ts";
import { type FilePolicy, type FilesFace, RoomFiles } from "./room-files.ts";
import { readSaid } from "./slash.ts";
import { ChatState } from "./state.ts";
import { VitalSigns } from "./vital-signs.ts";

/** What a chat needs beside its session. */
export interface RoomOptions extends CommandOptions {
  /** One's own name. */
  readonly me: string;
  readonly files: FilePolicy;
  readonly random: Random;
  readonly clock: Clock;
  /** Unix time. Milliseconds. */
  readonly wallMs: () => number;
  /** Leaves the chat at once. */
  readonly signal: AbortSignal;
}

/**
 * How a chat was over: this person left it, by Ctrl-C or a signal perhaps, the other one did, it goes on in another session, or
 * its session broke off.
 */
export interface ChatOutcome {
  readonly how: "quit" | "interrupted" | "left" | "moved" | "ended";
  /** Set when it broke off. */
  readonly end: SessionEnd | null;
}

/** How long the last lines may take to be reported as delivered. Milliseconds. */
const LAST_LINES_MS = 2_000;
/** At most one hint in this time. Milliseconds. */
const TYPING_EVERY_MS = 3_000;

/** One chat with everything that can happen in it, and no screen: lines, files, questions, the way of the packets, the end. */
export class Room implements FilesFace {
  readonly state: ChatState;
  readonly questions: Questions;
  /** Resolves when there is nothing to do here any more. */
  readonly over: Promise<ChatOutcome>;
  /** How far a transfer is; "" while none moves. */
  transferred = "";
  readonly #session: PeerSession;
  readonly #options: RoomOptions;
  readonly #onChange: () => void;
  readonly #conversation: Conversation;
  readonly #files: RoomFiles;
  readonly #commands: Commands;
  readonly #signs: VitalSigns;
  readonly #pulse: Pulse;
  readonly #over = Promise.withResolvers<ChatOutcome>();
  /** Lines are reported in their order, so the last one stands for all. Never rejects. */
  #lastLine: Promise<void> = Promise.resolve();
  #typingAtMs = Number.NEGATIVE_INFINITY;
  /** Whether to leave is being asked. */
  #isLeaveAsked = false;
  #isOver = false;

  constructor(session: PeerSession, options: RoomOptions, onChange: () => void) {
    this.over = this.#over.promise;
    this.#session = session;
    this.#options = options;
    this.#onChange = onChange;
    this.state = new ChatState(options.me, session.peer, session.path);
    this.questions = new Questions(onChange);
    this.note(`chat with ${session.peer}, ${way(session.path.kind)}; /help shows what you can do`);
    // What came early is handed over at once; a last word among it waits for the files.
    this.#files = new RoomFiles(session, options.files, this, options.random);
    this.#commands = new Commands(this, session, this.#files, options);
    this.#conversation = this.#converse();
    session.onPath((path) => this.#moved(path));
    this.#signs = new VitalSigns(session, options.clock, onChange);
    this.#pulse = new Pulse(session, options.clock);
    void session.ended.then((end) => this.#finish(this.state.hasLeft ? "left" : "ended", end));
    void this.over.then(({ end }) => end && this.note(`the chat broke off: ${end.reason}`));
    options.signal.addEventListener("abort", this.#interrupted, { once: true });
    if (options.signal.aborted) this.#interrupted();
  }

  /** How long nothing came from the other end; null while it counts as there. Milliseconds. */
  get silentMs(): number | null {
    return this.#signs.silentMs;
  }

  get rates(): SessionRates {
    return this.#pulse.rates;
  }

  /** Says something that stays on the screen. It may hold text of others. */
  note(text: string): void {
    this.state.note(text);
    this.#onChange();
  }

  progress(text: string): void {
    this.transferred = text;
    this.#onChange();
  }

  ask(question: Question, signal: AbortSignal): Promise<boolean | null> {
    return this.questions.ask(question, { signal });
  }

  /** A line was entered: an answer, a command, or something to say. */
  submit(line: string): void {
    if (this.questions.answer(line)) return;
    if (line.trim() !== "") this.#commands.obey(readSaid(line));
  }

  /** What becomes of it is shown. */
  say(text: string): void {
    const id = newId();
    this.state.said(id, text);
    this.#onChange();
    const written = this.#conversation.write(text, this.#options.wallMs(), id);
    written.catch((error: unknown) => {
      this.state.refused(id);
      this.note(describeError(error, false).message);
    });
    this.#lastLine = written.then(({ delivered }) => delivered).catch(() => undefined);
  }

  /** @returns whether it was sent */
  async pasted(text: string): Promise<boolean> {
    const messages = messagesOf(text);
    const lines = text.split("\n").length;
    const parts = messages.length > 1 ? `, as ${messages.length} messages` : "";
    const prompt = `send this paste, ${lines === 1 ? "1 line" : `${lines} lines`} and ${text.length} characters${parts}?`;
    const yes = await this.questions.ask({ prompt, fallback: true }, { urgent: true });
    if (yes !== true) return false;
    for (const message of messages) this.say(message);
    return true;
  }

  /** A hint for the other end, now and then; what is meant for this program is none, and an answer to it neither. */
  typed(line: string): void {
    if (this.questions.current !== null || readSaid(line).kind !== "text") return;
    const now = this.#options.clock.now();
    if (now - this.#typingAtMs < TYPING_EVERY_MS) return;
    this.#typingAtMs = now;
    this.#conversation.showTyping();
  }

  /**
   * Leaves, after a question when files would be cut off, or when one key too many may have been pressed. To say so again while
   * that is asked means yes.
   */
  async leave(by: "command" | "interrupt" | "end-of-input" | "escape"): Promise<void> {
    const how = by === "interrupt" ? "interrupted" : "quit";
    if (this.#isLeaveAsked && (by === "interrupt" || by === "command")) return this.#finish(how);
    if (by !== "command" && this.questions.dismiss()) return;
    const busy = { prompt: "files are under way; leave and cancel them?", fallback: false };
    const mistake = { prompt: "leave the chat?", fallback: true };
    const question = this.#files.isBusy ? busy : by === "escape" ? mistake : null;
    const yes = question === null || (await this.#askToLeave(question));
    if (yes === true) this.#finish(how);
  }

  async #askToLeave(question: Question): Promise<boolean | null> {
    this.#isLeaveAsked = true;
    const yes = await this.questions.ask(question, { urgent: true });
    this.#isLeaveAsked = false;
    return yes;
  }

  /** The terminal is gone: nobody can be asked anything. */
  hangUp(): void {
    this.#finish("interrupted");
  }

  moveOn(): void {
    this.#finish("moved");
  }

  /** Ends what is left: lines under way get a moment, transfers none. Never rejects. */
  async close(): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#interrupted);
    this.#signs[Symbol.dispose]();
    this.#pulse[Symbol.dispose]();
    this.questions.dismissAll();
    const reason = new UserError("cancelled", "the chat was left");
    const wasBusy = this.#files.isBusy;
    await this.#files.cancel(reason);
    const patience = Promise.withResolvers<void>();
    const callOff = this.#options.clock.after(LAST_LINES_MS, patience.resolve);
    await Promise.race([this.#lastLine, patience.promise, this.#session.ended]);
    callOff();
    this.#conversation.leave().catch(() => undefined);
    await this.#session.close("peer-gone", endReason(wasBusy ? reason : null));
    this.state.ended();
  }

  #converse(): Conversation {
    const now = () => this.#options.clock.now();
    const changed = <Args extends unknown[]>(happened: (...args: Args) => void) => {
      return (...args: Args): void => {
        happened(...args);
        this.#onChange();
      };
    };
    return new Conversation(this.#session, {
      onLine: changed((line) => this.state.heard(now(), line.text)),
      onDelivered: changed((id) => this.state.delivered(id)),
      onRead() {},
      onTyping: changed(() => this.state.typing(now())),
      onLeft: () => void this.#otherLeft(),
    });
  }

  #moved(path: PathInfo): void {
    const { kind, remote, why } = this.state.path;
    const isOther = path.kind !== kind || path.remote !== remote || (isRelayed(path) && path.why !== why);
    this.state.path = path;
    if (isOther) this.#commands.tellPath(path);
    this.#onChange();
  }

  async #otherLeft(): Promise<void> {
    // They answer our own farewell with theirs.
    if (this.#isOver) return;
    this.state.left();
    this.#onChange();
    await this.#files.idle();
    this.#finish("left");
  }

  readonly #interrupted = (): void => this.#finish("interrupted");

  #finish(how: ChatOutcome["how"], end: SessionEnd | null = null): void {
    this.#isOver = true;
    this.#over.resolve({ how, end: how === "ended" ? end : null });
  }
}
