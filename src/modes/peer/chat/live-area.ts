const ERASE_BELOW = "\u001b[J";

/** The last rows of the screen, drawn anew again and again; what is said for good goes above them and scrolls as anything else does. */
export class LiveArea {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  /** What stands there now: the widths of its rows, and the cursor's column in the last of them. */
  #widths: readonly number[] = [];
  #cursorColumn = 0;

  /** @param columns the width of the screen now */
  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** @param rows narrower than the screen; the cursor goes into the last one */
  draw(above: readonly string[], rows: readonly string[], cursorColumn: number): void {
    const said = above.map((line) => `${line}\r\n`).join("");
    const toCursor = cursorColumn > 0 ? `\u001b[${cursorColumn}C` : "";
    this.#write(`${this.#toTop()}${said}${rows.join("\r\n")}\r${toCursor}`);
    this.#widths = rows.map((row) => Bun.stringWidth(row));
    this.#cursorColumn = cursorColumn;
  }

  /** Leaves the screen as if nothing had been drawn below what was said. */
  clear(): void {
    this.#write(this.#toTop());
    this.#widths = [];
    this.#cursorColumn = 0;
  }

  /** Most terminals break what stands there anew when they become narrower, so rows may have become more. */
  #toTop(): string {
    const columns = Math.max(1, this.#columns());
    const above = this.#widths.slice(0, -1).reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    const up = above + Math.floor(this.#cursorColumn / columns);
    return `\r${up > 0 ? `\u001b[${up}A` : ""}${ERASE_BELOW}`;
  }
}
