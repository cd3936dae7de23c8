import { formatBytes, formatCount } from "../../cli/amounts.ts";
import { clipToWidth, sanitizeLine } from "../../cli/sanitize.ts";

/** An offer as somebody sent it; the preview in a ring says no size of single files. */
export interface ShownOffer {
  readonly count: number;
  readonly bytes: number;
  readonly files: readonly { readonly name: string; readonly bytes?: number }[];
}

const MAX_FILES = 8;
/** A longer ending is none. Characters with the dot. */
const MAX_ENDING = 12;
/** Nothing is shown on less. Columns. */
const MIN_COLUMNS = 16;

/** `3 files, 1.23 MB`. */
export function offerSum({ count, bytes }: ShownOffer): string {
  return `${formatCount(count, "file")}, ${formatBytes(bytes)}`;
}

/** One line a file, at most eight; the ending of each name stays in view, so that nothing passes for what it is not. */
export function offerLines(offer: ShownOffer, columns: number): string[] {
  const width = Math.max(MIN_COLUMNS, columns);
  const lines = offer.files.slice(0, MAX_FILES).map(({ name, bytes }) => fileLine(name, bytes, width));
  const more = offer.count - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}

function fileLine(name: string, bytes: number | undefined, columns: number): string {
  if (bytes === undefined) return shownName(name, columns);
  const size = `  ${formatBytes(bytes)}`;
  return shownName(name, columns - size.length) + size;
}

function shownName(name: string, columns: number): string {
  const clean = sanitizeLine(name);
  if (Bun.stringWidth(clean) <= columns) return clean;
  const ending = /\.[^.]*$/.exec(clean)?.[0] ?? "";
  const kept = ending.length > MAX_ENDING ? "" : ending;
  return sanitizeLine(clipToWidth(clean, Math.max(1, columns - Bun.stringWidth(kept))) + kept);
}
