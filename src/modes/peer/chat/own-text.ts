import { utf8 } from "../../../wire/bytes.ts";
import { MAX_CHAT_BYTES } from "../../../wire/limits.ts";
import { boundaries } from "./editing.ts";

/** Everything of C0, DEL and C1 but tab and line feed. */
// eslint-disable-next-line no-control-regex -- these are meant
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** What a person typed or pasted, as text: no control characters, one kind of line end, none at the end. */
export function ownText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, "\n").replace(CONTROLS, "").replace(/\n+$/, "");
}

export function fitsOneMessage(text: string): boolean {
  return utf8(text).length <= MAX_CHAT_BYTES;
}

/** Parts of at most one message each, cut between lines where possible, else between graphemes. */
export function messagesOf(text: string): string[] {
  const messages: string[] = [];
  let message = "";
  let bytes = 0;
  for (const piece of text.split(/(?<=\n)/).flatMap(pieces)) {
    const pieceBytes = utf8(piece).length;
    if (bytes > 0 && bytes + pieceBytes > MAX_CHAT_BYTES) {
      messages.push(ownText(message));
      [message, bytes] = ["", 0];
    }
    message += piece;
    bytes += pieceBytes;
  }
  return [...messages, ownText(message)].filter((each) => each !== "");
}

/** A line in parts, none too long for a message. A single grapheme can be, of a thousand marks: it is cut between code points. */
function pieces(line: string): string[] {
  if (fitsOneMessage(line)) return [line];
  const cuts = boundaries(line);
  const cells = cuts.slice(1).map((end, at) => line.slice(cuts[at], end));
  const parts: string[] = [];
  let [part, bytes] = ["", 0];
  for (const cell of cells.flatMap((each) => (fitsOneMessage(each) ? [each] : Array.from(each)))) {
    const cellBytes = utf8(cell).length;
    if (bytes + cellBytes > MAX_CHAT_BYTES) {
      parts.push(part);
      [part, bytes] = ["", 0];
    }
    part += cell;
    bytes += cellBytes;
  }
  return [...parts, part];
}
