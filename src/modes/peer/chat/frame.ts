import { way } from "../../cli/render.ts";
import { formatMs, formatSeconds } from "../../cli/amounts.ts";
import { clipToWidth, sanitizeLine } from "../../cli/sanitize.ts";
import { type Line, visiblePart } from "./editing.ts";
import { isRelayed } from "../session-path.ts";
import type { Question } from "./questions.ts";
import type { ChatState } from "./state.ts";
import { type Row, rowsOf } from "./transcript.ts";

export interface FrameParts {
  readonly state: ChatState;
  readonly question: Question | null;
  readonly progress: string;
  /** How long nothing came from the other end; null while it counts as there. Milliseconds. */
  readonly silentMs: number | null;
  readonly line: Line;
  /** Monotonic. Milliseconds. */
  readonly now: number;
}

/** One row of the live area: what it is decides how it looks. */
export interface LiveRow {
  readonly kind: Row["kind"] | "question" | "status" | "input";
  readonly text: string;
}

export interface Frame {
  /** At least one; the last is the input line. */
  readonly rows: readonly LiveRow[];
  readonly cursorColumn: number;
}

const PROMPT = "> ";
/** Below this a screen has room for the line alone. Columns. */
const MIN_PROMPT_COLUMNS = 8;
/** Own lines that are shown while they are on their way. */
const MAX_ON_THEIR_WAY = 5;

/** The last rows of the screen: lines on their way, a question, how things are, and the line being written. As many as there is room for. */
export function frameOf(parts: FrameParts, columns: number, rows: number): Frame {
  // The last column stays free: what a terminal does when it is written to differs.
  const width = Math.max(1, columns - 1);
  const { text, cursorColumn } = inputRow(parts.line, width);
  const { question } = parts;
  const above: LiveRow[] = [
    ...onTheirWay(parts.state, width),
    ...(question === null ? [] : [{ kind: "question" as const, text: clipToWidth(questionText(question), width) }]),
    { kind: "status", text: clipToWidth(statusText(parts), width) },
  ];
  const room = Math.max(0, rows - 1);
  return { rows: [...(room === 0 ? [] : above.slice(-room)), { kind: "input", text }], cursorColumn };
}

function inputRow(line: Line, width: number): { text: string; cursorColumn: number } {
  const prompt = width < MIN_PROMPT_COLUMNS ? "" : PROMPT;
  const part = visiblePart(line, width - prompt.length);
  return { text: prompt + part.text, cursorColumn: prompt.length + part.cursorColumn };
}

function onTheirWay({ onTheirWay: entries }: ChatState, width: number): LiveRow[] {
  const shown = entries.slice(0, MAX_ON_THEIR_WAY).flatMap((entry) => rowsOf(entry, width).slice(0, 1));
  const rows = shown.map(({ kind, prefix, text }) => ({ kind, text: clipToWidth(prefix + text, width) }));
  const more = entries.length - rows.length;
  return more > 0 ? [...rows, { kind: "on-its-way", text: clipToWidth(`· and ${more} more`, width) }] : rows;
}

function questionText({ prompt, fallback }: Question): string {
  return `? ${sanitizeLine(prompt)} ${fallback ? "[Y/n]" : "[y/N]"}`;
}

/** Of somebody silent neither a path nor a rate is true. */
function statusText({ state, progress, silentMs, now }: FrameParts): string {
  if (silentMs !== null) return `no sign of ${state.peer} for ${formatSeconds(Math.floor(silentMs / 1_000))}; waiting`;
  const { kind, rttMs } = state.path;
  const parts = [
    state.isTyping(now) ? `${state.peer} is typing` : state.peer,
    `${way(kind)}, ${formatMs(rttMs)}`,
    ...(progress === "" ? [] : [progress]),
    ...(isRelayed(state.path) ? [state.path.why] : []),
  ];
  return parts.join(" · ");
}
