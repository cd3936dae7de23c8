const CONTROL = new RegExp(
  String.raw`\u001b\[([?0-9;]*)([@-~])|\u001b[78=>cM]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[\u0000-\u001f\u007f-\u009f]`,
  "g",
);

/** A terminal as the programs of this house use one: rows of cells, a cursor, scrolling, wrapping, erasing. */
export class VirtualScreen {
  columns: number;
  rows: number;
  bells = 0;
  isCursorShown = true;
  isPasteMarked = false;
  /** Sequences it does not know: nothing of ours, or nothing that should have got through. */
  readonly unknown: string[] = [];
  /** Everything, what has scrolled off included; the last `rows` of it are in view. */
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;

  constructor(columns = 80, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  write(text: string): void {
    let at = 0;
    for (const match of text.matchAll(CONTROL)) {
      this.#print(text.slice(at, match.index));
      this.#obey(match[0], match[1] ?? "", match[2] ?? "");
      at = match.index + match[0].length;
    }
    this.#print(text.slice(at));
  }

  /** What was written and is not erased, without blanks at the ends. */
  get text(): string {
    return this.#lines
      .map((line) =>
        Array.from(line, (cell) => cell ?? " ")
          .join("")
          .trimEnd(),
      )
      .join("\n")
      .trimEnd();
  }

  /** The row with the cursor. */
  get cursorLine(): string {
    return Array.from(this.#line(), (cell) => cell ?? " ")
      .join("")
      .trimEnd();
  }

  get cursorColumn(): number {
    return this.#column;
  }

  /** How many rows lie below the cursor's. */
  get rowsBelow(): number {
    return this.#lines.length - 1 - this.#row;
  }

  #line(): string[] {
    while (this.#lines.length <= this.#row) this.#lines.push([]);
    return this.#lines[this.#row] ?? [];
  }

  #print(text: string): void {
    for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) {
      const width = Bun.stringWidth(segment);
      if (this.#column + width > this.columns && width > 0) this.#newLine();
      const line = this.#line();
      while (line.length < this.#column) line.push(" ");
      if (width === 0) line[this.#column - 1] = (line[this.#column - 1] ?? "") + segment;
      else for (let cell = 0; cell < width; cell++) line[this.#column + cell] = cell === 0 ? segment : "";
      this.#column += width;
    }
  }

  #newLine(): void {
    this.#row += 1;
    this.#column = 0;
    this.#line();
  }

  #obey(sequence: string, parameters: string, final: string): void {
    if (sequence === "\r") this.#column = 0;
    else if (sequence === "\n") this.#newLine();
    else if (sequence === "\u0007") this.bells += 1;
    else if (final === "" || !this.#control(final, Number(parameters.split(";")[0] || "1"), parameters))
      this.unknown.push(sequence);
  }

  #control(final: string, count: number, parameters: string): boolean {
    switch (final) {
      case "A":
        this.#row = Math.max(0, this.#lines.length - this.rows, this.#row - count);
        return true;
      case "B":
        this.#row = Math.min(Math.max(this.#lines.length - 1, this.#row), this.#row + count);
        return true;
      case "C":
        this.#column = Math.min(this.columns - 1, this.#column + count);
        return true;
      case "D":
        this.#column = Math.max(0, this.#column - count);
        return true;
      case "G":
        this.#column = count - 1;
        return true;
      case "J":
        this.#lines.length = this.#row + 1;
        this.#line().length = Math.min(this.#line().length, this.#column);
        return parameters === "" || parameters === "0";
      case "K":
        this.#line().length = parameters === "2" ? 0 : Math.min(this.#line().length, this.#column);
        return parameters !== "1";
      case "h":
      case "l":
        return this.#mode(parameters, final === "h");
      default:
        return final === "m";
    }
  }

  #mode(parameters: string, on: boolean): boolean {
    if (parameters === "?25") this.isCursorShown = on;
    else if (parameters === "?2004") this.isPasteMarked = on;
    else return false;
    return true;
  }
}
