/** One thing that a person does at the keyboard. */
export type Key =
  | { readonly kind: "text"; readonly text: string }
  /** Put in from elsewhere, line ends and all; null when it was longer than anything that makes sense here. */
  | { readonly kind: "paste"; readonly text: string | null }
  | { readonly kind: "press"; readonly name: KeyName };

export type KeyName =
  | "backspace"
  | "delete"
  | "down"
  | "end"
  | "end-of-input"
  | "enter"
  | "escape"
  | "home"
  | "interrupt"
  | "kill-to-end"
  | "kill-to-start"
  | "kill-word"
  | "left"
  | "redraw"
  | "right"
  | "up"
  | "word-left"
  | "word-right";

/** Longer pastes are not kept. UTF-16 units. */
export const MAX_PASTE = 1_048_576;
/** Nobody types so much between two reads: it was pasted into a terminal that does not say so. Bytes. */
const PASTED_BYTES = 1_024;
/** A begun sequence longer than this is none. */
const MAX_SEQUENCE = 64;
const PASTE_START = "\u001b[200~";
const PASTE_END = "\u001b[201~";

/* eslint-disable no-control-regex -- keys are control characters */
const CSI = /^\x1b\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])/;
const SS3 = /^\x1bO([\x40-\x7e])/;
const BEGUN = /^\x1b(?:O|\[[\x30-\x3f]*[\x20-\x2f]*)?$/;
const TEXT = /^[^\x00-\x1f\x7f-\x9f]+/;
/* eslint-enable no-control-regex */

const controls: Readonly<Record<string, KeyName>> = {
  "\u0001": "home",
  "\u0002": "left",
  "\u0003": "interrupt",
  "\u0004": "end-of-input",
  "\u0005": "end",
  "\u0006": "right",
  "\b": "backspace",
  "\n": "enter",
  "\u000b": "kill-to-end",
  "\f": "redraw",
  "\r": "enter",
  "\u000e": "down",
  "\u0010": "up",
  "\u0015": "kill-to-start",
  "\u0017": "kill-word",
  "\u007f": "backspace",
};

const finals: Readonly<Record<string, KeyName>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  F: "end",
  H: "home",
  M: "enter",
};

const numbered: Readonly<Record<string, KeyName>> = { 1: "home", 3: "delete", 4: "end", 7: "home", 8: "end" };
const withAlt: Readonly<Record<string, KeyName>> = {
  b: "word-left",
  f: "word-right",
  "\b": "kill-word",
  "\u007f": "kill-word",
};

/**
 * Bytes of a terminal in raw mode → keys. Sequences may come in pieces; when `pending` is still true a moment after the last bytes,
 * `flush` says what they were.
 */
export class KeyDecoder {
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #begun = "";
  #paste: Paste | null = null;

  /** Something has begun and may go on: an escape sequence, or a paste that nothing but silence ends. */
  get pending(): boolean {
    return this.#paste === null ? this.#begun !== "" : this.#paste.isLoose;
  }

  feed(bytes: Uint8Array): Key[] {
    const text = this.#utf8.decode(bytes, { stream: true });
    if (this.#paste === null && bytes.length >= PASTED_BYTES && !text.includes(PASTE_START))
      this.#paste = new Paste(true);
    return this.#read(text);
  }

  /** Nothing follows what has begun. */
  flush(): Key[] {
    const [paste, begun] = [this.#paste, this.#begun];
    if (paste?.isLoose === true) {
      this.#paste = null;
      return [paste.key()];
    }
    this.#begun = "";
    return begun === "\u001b" ? [{ kind: "press", name: "escape" }] : [];
  }

  #read(text: string): Key[] {
    const keys: Key[] = [];
    let rest = this.#begun + text;
    this.#begun = "";
    while (rest !== "") {
      if (this.#paste !== null) rest = this.#readPaste(rest, keys);
      else if (rest.startsWith("\u001b")) rest = this.#readSequence(rest, keys);
      else rest = readPlain(rest, keys);
    }
    return keys;
  }

  #readPaste(text: string, keys: Key[]): string {
    const paste = this.#paste;
    const rest = paste?.take(text) ?? null;
    if (paste === null || rest === null) return "";
    this.#paste = null;
    keys.push(paste.key());
    return rest;
  }

  #readSequence(text: string, keys: Key[]): string {
    if (text.startsWith(PASTE_START)) {
      this.#paste = new Paste(false);
      return text.slice(PASTE_START.length);
    }
    if (BEGUN.test(text) && text.length < MAX_SEQUENCE) {
      this.#begun = text;
      return "";
    }
    return readEscape(text, keys);
  }
}

class Paste {
  /** Of a terminal that does not mark pastes: silence ends it. */
  readonly isLoose: boolean;
  #text = "";
  #isTooLong = false;

  constructor(isLoose: boolean) {
    this.isLoose = isLoose;
  }

  /** @returns what follows the end of the paste; null when it goes on */
  take(text: string): string | null {
    const before = this.#text.length;
    const all = this.#text + text;
    const end = this.isLoose ? -1 : all.indexOf(PASTE_END, Math.max(0, before - PASTE_END.length + 1));
    this.#keep(end < 0 ? all : all.slice(0, end));
    return end < 0 ? null : all.slice(end + PASTE_END.length);
  }

  key(): Key {
    return { kind: "paste", text: this.#isTooLong ? null : this.#text };
  }

  #keep(text: string): void {
    this.#isTooLong ||= text.length > MAX_PASTE;
    // The end mark may be under way, so the last few characters stay.
    this.#text = this.#isTooLong ? text.slice(-PASTE_END.length) : text;
  }
}

/** Two escapes in a row, or one before something that is no sequence, is the key of that name. */
function readEscape(text: string, keys: Key[]): string {
  const csi = CSI.exec(text);
  if (csi !== null) return pressed(text, csi[0].length, csiKey(csi[1] ?? "", csi[2] ?? ""), keys);
  const ss3 = SS3.exec(text);
  if (ss3 !== null) return pressed(text, ss3[0].length, finals[ss3[1] ?? ""], keys);
  const alt = withAlt[text[1] ?? ""];
  if (alt !== undefined) return pressed(text, 2, alt, keys);
  const isLetter = /^.[^\p{Cc}]/su.exec(text);
  return isLetter === null ? pressed(text, 1, "escape", keys) : text.slice(isLetter[0].length);
}

/** `ESC [ 1 ; 5 D`: behind the semicolon 1 + shift 1, alt 2, control 4. */
function csiKey(parameters: string, final: string): KeyName | undefined {
  const [number = "", modifiers = "1"] = parameters.split(";");
  const byWord = ((Number(modifiers) - 1) & 6) !== 0;
  const name = final === "~" ? numbered[number] : finals[final];
  if (!byWord) return name;
  return name === "left" ? "word-left" : name === "right" ? "word-right" : name;
}

function readPlain(text: string, keys: Key[]): string {
  const typed = TEXT.exec(text);
  if (typed === null) return pressed(text, 1, controls[text[0] ?? ""], keys);
  keys.push({ kind: "text", text: typed[0] });
  return text.slice(typed[0].length);
}

function pressed(text: string, length: number, name: KeyName | undefined, keys: Key[]): string {
  if (name !== undefined) keys.push({ kind: "press", name });
  return text.slice(length);
}
