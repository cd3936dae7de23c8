import { sanitizeLine, sanitizeLines } from "../../cli/sanitize.ts";
import { wrap } from "./wrap.ts";

/** Something that stands in the chat for good. */
export interface Entry {
  readonly kind: "theirs" | "on-its-way" | "delivered" | "not-delivered" | "note";
  /** Who said it; "" for a note of the program. */
  readonly from: string;
  /** As it came. */
  readonly text: string;
}

/** One row of the screen: what we put before it, and text that may be a stranger's. */
export interface Row {
  readonly kind: Entry["kind"];
  readonly prefix: string;
  readonly text: string;
}

/** Rows of one message; the rest is folded. */
const MAX_ROWS = 200;
/** Text needs some room, however narrow the screen. Columns. */
const MIN_TEXT_COLUMNS = 4;
const ISOLATES = /[\u2068\u2069]/g;

const marks: Readonly<Record<Entry["kind"], string>> = {
  theirs: "  ",
  "on-its-way": "· ",
  delivered: "✓ ",
  "not-delivered": "✗ ",
  note: "* ",
};

/** Every line carries its sender and the rows that it runs over are set in, so that no text can pass for anybody else's, or for ours. */
export function rowsOf(entry: Entry, columns: number): Row[] {
  const prefix = prefixOf(entry, columns);
  const textColumns = Math.max(MIN_TEXT_COLUMNS, columns - prefix.length);
  const rows: Row[] = [];
  for (const line of sanitizeLines(entry.text)) {
    for (const [at, part] of wrap(line.replace(ISOLATES, ""), textColumns).entries())
      rows.push({ kind: entry.kind, prefix: at === 0 ? prefix : " ".repeat(prefix.length), text: sanitizeLine(part) });
  }
  return rows.length <= MAX_ROWS ? rows : folded(entry, rows, prefix);
}

function folded({ kind }: Entry, rows: readonly Row[], prefix: string): Row[] {
  const text = `(${rows.length - MAX_ROWS} more lines are not shown)`;
  return [...rows.slice(0, MAX_ROWS), { kind, prefix, text }];
}

/** Names are plain ASCII; on a narrow screen the name gives way. */
function prefixOf({ kind, from }: Entry, columns: number): string {
  const mark = marks[kind];
  if (from === "") return mark;
  const room = Math.max(1, columns - mark.length - 2 - Math.max(MIN_TEXT_COLUMNS, Math.floor(columns / 2)));
  return `${mark}${from.slice(0, room)}: `;
}
