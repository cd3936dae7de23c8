import type { Terminal } from "../../cli/context.ts";
import type { Clock } from "../../runtime/clock.ts";
import { Keyboard } from "./keyboard.ts";
import type { Key } from "./keys.ts";
import { frameOf, type LiveRow } from "./frame.ts";
import { LineEditor, type Wish } from "./line-editor.ts";
import { LiveArea } from "./live-area.ts";
import { terminalRows } from "../prompts/terminal-rows.ts";
import type { Room } from "./room.ts";
import { rowsOf } from "./transcript.ts";

/** Several changes in this time are one drawing. Milliseconds. */
const DRAW_MS = 15;
const PASTE_MARKS_ON = "\u001b[?2004h";
const PASTE_MARKS_OFF = "\u001b[?2004l";
const BELL = "\u0007";
const CLEAR = "\u001b[H\u001b[J";

const styles: Readonly<Record<LiveRow["kind"], string>> = {
  theirs: "\u001b[36m",
  delivered: "\u001b[32m",
  "on-its-way": "\u001b[2m",
  "not-delivered": "\u001b[31m",
  note: "\u001b[2m",
  question: "\u001b[1m",
  status: "\u001b[2m",
  input: "",
};
const PLAIN = "\u001b[0m";

/** A room at a terminal: what is said scrolls by, and below it stays the line being written. */
export class Screen implements Disposable {
  readonly #terminal: Terminal;
  readonly #room: Room;
  readonly #clock: Clock;
  readonly #editor = new LineEditor();
  readonly #area: LiveArea;
  readonly #keyboard: Keyboard;
  #callOffDrawing: (() => void) | null = null;
  #callOffNext: () => void = () => undefined;

  constructor(terminal: Terminal, room: Room, clock: Clock) {
    this.#terminal = terminal;
    this.#room = room;
    this.#clock = clock;
    this.#area = new LiveArea((text) => this.#write(text), terminal.columns);
    const onKey = (key: Key): void => this.#pressed(key);
    this.#keyboard = new Keyboard(terminal.stdin, clock, onKey, () => room.hangUp());
    this.#write(PASTE_MARKS_ON);
    terminal.stderr.on("resize", this.changed);
    this.#draw();
  }

  /** Something is to be drawn, soon. */
  readonly changed = (): void => {
    this.#callOffDrawing ??= this.#clock.after(DRAW_MS, () => this.#draw());
  };

  /** What is left is said, and the terminal is as it was. */
  [Symbol.dispose](): void {
    this.#terminal.stderr.off("resize", this.changed);
    this.#callOffDrawing?.();
    this.#callOffNext();
    this.#keyboard[Symbol.dispose]();
    if (!this.#editor.isEmpty) this.#room.state.note(`not sent: ${this.#editor.line.text}`);
    this.#area.draw(this.#said(), [], 0);
    this.#area.clear();
    this.#write(PASTE_MARKS_OFF);
  }

  #pressed(key: Key): void {
    const wish = this.#editor.press(key);
    if (wish !== null) this.#grant(wish);
    else if (key.kind === "text") this.#room.typed(this.#editor.line.text);
    // An empty line answers a question too.
    if (wish === null && this.#editor.isEmpty && key.kind === "press" && key.name === "enter") this.#room.submit("");
    this.#draw();
  }

  #grant(wish: Wish): void {
    switch (wish.kind) {
      case "submit":
        return this.#room.submit(wish.text);
      case "paste":
        return void this.#pasted(wish.text);
      case "too-long":
        return this.#room.note("that is too long for a line; send it as a file, with /send PATH");
      case "redraw":
        return this.#write(CLEAR);
      case "leave":
        return void this.#room.leave(wish.by);
    }
  }

  async #pasted(text: string): Promise<void> {
    const before = this.#editor.line.text;
    this.#editor.clear();
    if (!(await this.#room.pasted(text))) this.#editor.restore(before);
    this.changed();
  }

  #draw(): void {
    this.#callOffDrawing?.();
    this.#callOffDrawing = null;
    const { state, questions, transferred: progress, silentMs } = this.#room;
    const now = this.#clock.now();
    const parts = { state, question: questions.current, progress, silentMs, line: this.#editor.line, now };
    const { rows, cursorColumn } = frameOf(parts, this.#terminal.columns(), terminalRows(this.#terminal));
    const drawn = rows.map(({ kind, text }) => this.#styled(kind, text));
    this.#area.draw(this.#said(), drawn, cursorColumn);
    if (state.takeBell()) this.#write(BELL);
    this.#callOffNext();
    const next = state.nextAt(now);
    this.#callOffNext = next === null ? () => undefined : this.#clock.after(next - now, () => this.#draw());
  }

  #said(): string[] {
    const width = Math.max(1, this.#terminal.columns() - 1);
    const rows = this.#room.state.take(this.#clock.now()).flatMap((entry) => rowsOf(entry, width));
    return rows.map(({ kind, prefix, text }) =>
      kind === "note" ? this.#styled(kind, prefix + text) : this.#styled(kind, prefix) + text,
    );
  }

  #styled(kind: LiveRow["kind"], text: string): string {
    return this.#terminal.color && styles[kind] !== "" ? styles[kind] + text + PLAIN : text;
  }

  #write(text: string): void {
    this.#terminal.stderr.write(text);
  }
}
