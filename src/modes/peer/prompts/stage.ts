import { Writable } from "node:stream";
import type { Terminal } from "../../cli/context.ts";
import { terminalRows } from "./terminal-rows.ts";

/* eslint-disable no-control-regex -- escape sequences are the subject here */
const COLOR = /\x1b\[(?:3[0-79]|9[0-7])m/g;
const ROW_MOVES = /\n|\x1b\[(\d*)([AB])/g;
/* eslint-enable no-control-regex */

/** stderr as a prompt draws on it. It knows how far down the prompt has come, so that one that was called off leaves no trace. */
export class Stage extends Writable {
  readonly #terminal: Terminal;
  readonly #resized = (): boolean => this.emit("resize");
  #row = 0;

  constructor(terminal: Terminal) {
    super({ decodeStrings: false });
    this.#terminal = terminal;
    terminal.stderr.on("resize", this.#resized);
  }

  get columns(): number {
    return this.#terminal.columns();
  }

  get rows(): number {
    return terminalRows(this.#terminal);
  }

  /** Takes away all that was drawn. */
  erase(): void {
    this.#terminal.stderr.write(`\r${this.#row > 0 ? `\u001b[${this.#row}A` : ""}\u001b[J`);
    this.#row = 0;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    const text = String(chunk);
    this.#row += rowsDown(text);
    this.#terminal.stderr.write(this.#terminal.color ? text : text.replace(COLOR, ""));
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#terminal.stderr.off("resize", this.#resized);
    done(error);
  }
}

function rowsDown(text: string): number {
  let rows = 0;
  for (const [move, count, direction] of text.matchAll(ROW_MOVES)) {
    const by = move === "\n" ? 1 : Number(count === "" ? "1" : count);
    rows += direction === "A" ? -by : by;
  }
  return rows;
}
