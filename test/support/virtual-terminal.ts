import { PassThrough, Writable } from "node:stream";
import type { Terminal } from "../../src/modes/cli/context.ts";
import { VirtualScreen } from "./virtual-screen.ts";

/** By the names that the tests of real terminals use. */
const keys: Readonly<Record<string, string>> = {
  Enter: "\r",
  Escape: "\u001b",
  Up: "\u001b[A",
  Down: "\u001b[B",
  Left: "\u001b[D",
  Right: "\u001b[C",
  BSpace: "\u007f",
  "C-c": "\u0003",
  "C-d": "\u0004",
  "C-l": "\f",
};

class Keyboard extends PassThrough {
  readonly isTTY = true;
  isRaw = false;

  setRawMode(on: boolean): this {
    this.isRaw = on;
    return this;
  }
}

class Display extends Writable {
  readonly isTTY = true;
  readonly #screen: VirtualScreen;
  readonly #onWrite: () => void;

  constructor(screen: VirtualScreen, onWrite: () => void) {
    super({ decodeStrings: false });
    this.#screen = screen;
    this.#onWrite = onWrite;
  }

  get columns(): number {
    return this.#screen.columns;
  }

  get rows(): number {
    return this.#screen.rows;
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.#screen.write(String(chunk));
    this.#onWrite();
    done();
  }
}

/** A terminal in memory: what is pressed goes in, and what is drawn can be read and waited for. */
export class VirtualTerminal implements Terminal {
  readonly screen: VirtualScreen;
  readonly stdin: Keyboard = new Keyboard();
  readonly stdout: Display;
  readonly stderr: Display;
  readonly interactive = true;
  readonly fullScreen = true;
  readonly color = false;
  #drawn = Promise.withResolvers<void>();

  constructor(columns = 80, rows = 24) {
    this.screen = new VirtualScreen(columns, rows);
    const drawn = (): void => {
      this.#drawn.resolve();
      this.#drawn = Promise.withResolvers();
    };
    this.stdout = new Display(this.screen, drawn);
    this.stderr = new Display(this.screen, drawn);
  }

  readonly columns = (): number => this.screen.columns;

  type(text: string): void {
    this.stdin.write(text);
  }

  press(...names: readonly string[]): void {
    for (const name of names) this.stdin.write(keys[name] ?? name);
  }

  resize(columns: number, rows: number): void {
    this.screen.columns = columns;
    this.screen.rows = rows;
    this.stderr.emit("resize");
    this.stdout.emit("resize");
  }

  /** Resolves when the screen shows it. */
  async waitFor(text: string): Promise<void> {
    await this.until(() => this.screen.text.includes(text));
  }

  /** Resolves when something drawn has made it so. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#drawn.promise;
  }
}
