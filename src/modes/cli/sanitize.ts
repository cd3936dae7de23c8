/**
 * The one way of remote text to a screen: what came from a peer, a server, a file system or a foreign error. It cannot move
 * the cursor, colour, retitle, query or reorder anything, and it cannot look like a line of ours.
 */

const REPLACEMENT = "\ufffd";
const ELLIPSIS = "…";
const MAX_MARKS = 4;

/* eslint-disable no-control-regex -- control characters are the subject here */

/** DCS, SOS, OSC, PM and APC with their text, up to BEL, ST or the end of the line. */
const STRING_SEQUENCES = /(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\r\n]*(?:\x07|\x1b\\|\x9c)?/g;
const CSI_SEQUENCES = /(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]?/g;
const OTHER_SEQUENCES = /\x1b[\x20-\x2f]*[\x30-\x7e]?/g;
/** C0 but newline, DEL and C1. */
const CONTROLS = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g;
const LINE_ENDS = /\r\n?|[\u2028\u2029\x85]/g;

/* eslint-enable no-control-regex */

/** Joiners and variation selectors, which emoji and some scripts need; all else of their kind goes. */
const IGNORABLE = /(?!\u200c|\u200d|\ufe0e|\ufe0f)\p{Default_Ignorable_Code_Point}|[\ufff9-\ufffb]/gu;
const NONCHARACTERS = /\p{Noncharacter_Code_Point}/gu;
const JOINING_SCRIPTS =
  "\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Gujr}\\p{scx=Guru}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Orya}\\p{scx=Sinh}\\p{scx=Taml}\\p{scx=Telu}";
const STRAY_JOINERS = new RegExp(
  `(?<![${JOINING_SCRIPTS}])\\u200c|(?<![${JOINING_SCRIPTS}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f])\\u200d|(?<!\\p{Emoji})[\\ufe0e\\ufe0f]`,
  "gu",
);
const MANY_MARKS = new RegExp(`(\\p{M}{${MAX_MARKS}})\\p{M}+`, "gu");
const LEADING_MARKS = /^\p{M}+/gmu;
const RIGHT_TO_LEFT =
  /[\p{scx=Hebr}\p{scx=Arab}\p{scx=Syrc}\p{scx=Thaa}\p{scx=Nkoo}\p{scx=Samr}\p{scx=Mand}\p{scx=Adlm}\p{scx=Rohg}]/u;
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

/** One line: names, labels, reasons. Line ends and tabs become blanks. @param columns cut to this width, with an ellipsis */
export function sanitizeLine(text: string, columns?: number): string {
  const line = clean(text).replaceAll("\n", " ");
  return isolate(columns === undefined ? line : clipToWidth(line, columns));
}

/** Several lines: chat text. The caller puts the sender before each, so that no line can pass for another's. */
export function sanitizeLines(text: string): string[] {
  return clean(text).split("\n").map(isolate);
}

/** Cuts whole graphemes, so that the rest and an ellipsis take at most `columns`. For text that was cleaned, or is ours. */
export function clipToWidth(text: string, columns: number): string {
  if (Bun.stringWidth(text) <= columns) return text;
  let clipped = "";
  let width = Bun.stringWidth(ELLIPSIS);
  if (columns < width) return "";
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) {
    width += Bun.stringWidth(segment);
    if (width > columns) break;
    clipped += segment;
  }
  return clipped + ELLIPSIS;
}

function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(STRING_SEQUENCES, "")
    .replace(CSI_SEQUENCES, "")
    .replace(OTHER_SEQUENCES, "")
    .replace(LINE_ENDS, "\n")
    .replaceAll("\t", " ")
    .replace(CONTROLS, "")
    .replace(NONCHARACTERS, REPLACEMENT)
    .replace(IGNORABLE, "")
    .replace(STRAY_JOINERS, "")
    .replace(MANY_MARKS, "$1")
    .replace(LEADING_MARKS, "");
}

/** Right-to-left text keeps its order to itself: what follows it on our line stays where it is. */
function isolate(line: string): string {
  return RIGHT_TO_LEFT.test(line) ? FIRST_STRONG_ISOLATE + line + POP_ISOLATE : line;
}
