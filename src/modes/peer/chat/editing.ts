/** A line being written. `cursor` is an offset into `text` and always stands between two graphemes. */
export interface Line {
  readonly text: string;
  readonly cursor: number;
}

export const emptyLine: Line = { text: "", cursor: 0 };

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export function lineOf(text: string): Line {
  return { text, cursor: text.length };
}

export function insert({ text, cursor }: Line, added: string): Line {
  return settled(text.slice(0, cursor) + added + text.slice(cursor), cursor + added.length);
}

/** What moves the cursor or takes something away. */
export const edits = {
  backspace: (line) => cut(line, before(line), line.cursor),
  delete: (line) => cut(line, line.cursor, after(line)),
  left: (line) => ({ ...line, cursor: before(line) }),
  right: (line) => ({ ...line, cursor: after(line) }),
  home: (line) => ({ ...line, cursor: 0 }),
  end: (line) => ({ ...line, cursor: line.text.length }),
  "word-left": (line) => ({ ...line, cursor: wordBefore(line) }),
  "word-right": (line) => ({ ...line, cursor: wordAfter(line) }),
  "kill-to-end": (line) => cut(line, line.cursor, line.text.length),
  "kill-to-start": (line) => cut(line, 0, line.cursor),
  "kill-word": (line) => cut(line, wordBefore(line), line.cursor),
} as const satisfies Readonly<Record<string, (line: Line) => Line>>;

/**
 * The part of a line that fits into one row, with the cursor in it. It moves by half a row, so that there is text to both sides.
 * @returns no more than `columns` columns; the cursor's column is below that
 */
export function visiblePart({ text, cursor }: Line, columns: number): { text: string; cursorColumn: number } {
  const cells = Array.from(graphemes.segment(text), ({ segment, index }) => ({ segment, index }));
  const widths = cells.map(({ segment }) => Bun.stringWidth(segment));
  const widthUpTo = (offset: number) =>
    widths.reduce((sum, width, at) => ((cells[at]?.index ?? 0) < offset ? sum + width : sum), 0);
  const half = Math.max(1, Math.floor(columns / 2));
  const cursorAt = widthUpTo(cursor);
  const from = cursorAt < columns ? 0 : (Math.floor(cursorAt / half) - 1) * half;
  let [part, partWidth, skipped] = ["", 0, 0];
  for (const [at, { segment }] of cells.entries()) {
    const width = widths[at] ?? 0;
    if (skipped < from) skipped += width;
    else if (partWidth + width > columns) break;
    else [part, partWidth] = [part + segment, partWidth + width];
  }
  return { text: part, cursorColumn: Math.min(Math.max(0, columns - 1), Math.max(0, cursorAt - skipped)) };
}

/** The offsets between graphemes, both ends among them. */
export function boundaries(text: string): number[] {
  return [...Array.from(graphemes.segment(text), ({ index }) => index), text.length];
}

function cut({ text }: Line, from: number, to: number): Line {
  return settled(text.slice(0, from) + text.slice(to), from);
}

/** What was parted may have grown together: a mark onto a letter, two halves of a flag. */
function settled(text: string, cursor: number): Line {
  return { text, cursor: boundaries(text).find((offset) => offset >= cursor) ?? text.length };
}

function before({ text, cursor }: Line): number {
  return boundaries(text).findLast((offset) => offset < cursor) ?? 0;
}

function after({ text, cursor }: Line): number {
  return boundaries(text).find((offset) => offset > cursor) ?? text.length;
}

function wordBefore({ text, cursor }: Line): number {
  let at = cursor;
  while (at > 0 && isBlank(text, at - 1)) at--;
  while (at > 0 && !isBlank(text, at - 1)) at--;
  return boundaries(text).findLast((offset) => offset <= at) ?? 0;
}

function wordAfter({ text, cursor }: Line): number {
  let at = cursor;
  while (at < text.length && isBlank(text, at)) at++;
  while (at < text.length && !isBlank(text, at)) at++;
  return boundaries(text).find((offset) => offset >= at) ?? text.length;
}

function isBlank(text: string, at: number): boolean {
  return /\s/u.test(text.charAt(at));
}
