const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Breaks one line into rows of at most `columns`, behind blanks where there are any; whatever a word is, it is broken if it must. */
export function wrap(line: string, columns: number): string[] {
  const rows: string[] = [];
  let row = "";
  let width = 0;
  /** Where the row may be broken: behind its last blank. */
  let breakAt = 0;
  for (const { segment } of graphemes.segment(line)) {
    const segmentWidth = Bun.stringWidth(segment);
    // Twice, where what stands behind the last blank has no room for one more either.
    while (row !== "" && width + segmentWidth > columns) {
      const cut = breakAt > 0 ? breakAt : row.length;
      rows.push(row.slice(0, cut).trimEnd());
      row = row.slice(cut);
      width = Bun.stringWidth(row);
      breakAt = 0;
    }
    row += segment;
    width += segmentWidth;
    if (segment === " ") breakAt = row.length;
  }
  return [...rows, row];
}
