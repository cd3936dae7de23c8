import type { PathInfo } from "../peer-session.ts";
import { Pace } from "./pace.ts";
import type { Entry } from "./transcript.ts";

/** Messages of the other end shown a second. */
const SHOWN_PER_SECOND = 20;
/** What comes faster waits, so many messages of it; the rest is counted. */
const MAX_WAITING = 200;
/** At most one bell in this time. Milliseconds. */
const BELL_MS = 5_000;
/** How long a hint that somebody types holds. Milliseconds. */
const TYPING_MS = 5_000;
/** A hint that comes so shortly behind a message was sent before it: what is reliable goes first. Milliseconds. */
const LATE_HINT_MS = 1_000;

interface OwnLine {
  readonly id: string;
  readonly text: string;
  isDelivered: boolean;
}

/** What a chat looks like, without a screen, a clock or a session: facts in, entries out. `now` is monotonic, milliseconds. */
export class ChatState {
  readonly me: string;
  readonly peer: string;
  path: PathInfo;
  readonly #shown = new Pace(SHOWN_PER_SECOND);
  readonly #bells = new Pace(1_000 / BELL_MS, 1);
  readonly #waiting: string[] = [];
  readonly #ready: Entry[] = [];
  #own: OwnLine[] = [];
  #skipped = 0;
  #typingUntil = 0;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #bell = false;
  #hasLeft = false;
  #isFarewellTold = false;

  constructor(me: string, peer: string, path: PathInfo) {
    this.me = me;
    this.peer = peer;
    this.path = path;
  }

  heard(now: number, text: string): void {
    this.#typingUntil = 0;
    this.#heardAtMs = now;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(text);
    else this.#skipped += 1;
    this.#bell ||= this.#bells.take(now);
  }

  said(id: string, text: string): void {
    this.#own.push({ id, text, isDelivered: false });
  }

  /** Lines are settled in the order they were said in. */
  delivered(id: string): void {
    for (const line of this.#own) if (line.id === id) line.isDelivered = true;
    while (this.#own[0]?.isDelivered === true) this.#settle("delivered");
  }

  /** This line did not leave. */
  refused(id: string): void {
    const line = this.#own.find((each) => each.id === id);
    this.#own = this.#own.filter((each) => each !== line);
    if (line !== undefined) this.#ready.push({ kind: "not-delivered", from: this.me, text: line.text });
  }

  /** Told behind the last line that waits to be shown. */
  left(): void {
    this.#hasLeft = true;
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  typing(now: number): void {
    if (now - this.#heardAtMs >= LATE_HINT_MS) this.#typingUntil = now + TYPING_MS;
  }

  isTyping(now: number): boolean {
    return now < this.#typingUntil;
  }

  note(text: string): void {
    this.#ready.push({ kind: "note", from: "", text });
  }

  /** Nothing comes or goes any more: what waited is shown, what was not delivered is marked. */
  ended(): void {
    while (this.#waiting.length > 0) this.#show();
    this.#tellRest();
    while (this.#own.length > 0) this.#settle("not-delivered");
  }

  /** Lines that the other end has not reported. */
  get onTheirWay(): readonly Entry[] {
    return this.#own.map(({ text }) => ({ kind: "on-its-way", from: this.me, text }));
  }

  /** What is to be shown for good now, each once. */
  take(now: number): Entry[] {
    while (this.#waiting.length > 0 && this.#shown.take(now)) this.#show();
    if (this.#waiting.length === 0) this.#tellRest();
    return this.#ready.splice(0);
  }

  /** Whether to ring the bell, each time once. */
  takeBell(): boolean {
    const bell = this.#bell;
    this.#bell = false;
    return bell;
  }

  /** When to look again though nothing happens; null for never. */
  nextAt(now: number): number | null {
    const times = [
      ...(this.#waiting.length > 0 ? [this.#shown.nextAt()] : []),
      ...(this.isTyping(now) ? [this.#typingUntil] : []),
    ];
    return times.length === 0 ? null : Math.min(...times);
  }

  #show(): void {
    const text = this.#waiting.shift();
    if (text !== undefined) this.#ready.push({ kind: "theirs", from: this.peer, text });
  }

  #settle(kind: "delivered" | "not-delivered"): void {
    const line = this.#own.shift();
    if (line !== undefined) this.#ready.push({ kind, from: this.me, text: line.text });
  }

  #tellRest(): void {
    if (this.#skipped > 0) this.note(`${this.#skipped} more messages of ${this.peer} came too fast and are not shown`);
    this.#skipped = 0;
    if (this.#hasLeft && !this.#isFarewellTold) this.note(`${this.peer} has left`);
    this.#isFarewellTold = this.#hasLeft;
  }
}
