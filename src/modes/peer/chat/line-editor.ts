import { edits, emptyLine, insert, type Line, lineOf } from "./editing.ts";
import type { Key, KeyName } from "./keys.ts";
import { fitsOneMessage, ownText } from "./own-text.ts";
import { Recall } from "./recall.ts";

/** What a key meant beyond the line itself. */
export type Wish =
  | { readonly kind: "submit"; readonly text: string }
  /** Put in from elsewhere, with line ends or longer than one message: not sent before the person was asked. */
  | { readonly kind: "paste"; readonly text: string }
  | { readonly kind: "too-long" }
  | { readonly kind: "redraw" }
  | { readonly kind: "leave"; readonly by: "interrupt" | "end-of-input" | "escape" };

/** One line and the keys that change it. The line is kept until it is submitted or cleared. */
export class LineEditor {
  #line: Line = emptyLine;
  readonly #recall = new Recall();

  get line(): Line {
    return this.#line;
  }

  get isEmpty(): boolean {
    return this.#line.text === "";
  }

  /** @returns null when the key only changed the line */
  press(key: Key): Wish | null {
    switch (key.kind) {
      case "text":
        return this.#insert(ownText(key.text.replaceAll("\t", " ")));
      case "paste":
        return key.text === null ? { kind: "too-long" } : this.#pasted(ownText(key.text));
      case "press":
      default:
        return this.#pressed(key.name);
    }
  }

  clear(): void {
    this.#line = emptyLine;
  }

  /** Puts back what was taken out, unless something else was begun. */
  restore(text: string): void {
    if (this.isEmpty) this.#line = lineOf(text);
  }

  #insert(text: string): Wish | null {
    const line = insert(this.#line, text);
    if (!fitsOneMessage(line.text)) return { kind: "too-long" };
    this.#line = line;
    return null;
  }

  #pasted(text: string): Wish | null {
    const { text: whole } = insert(this.#line, text);
    if (text.includes("\n") || !fitsOneMessage(whole)) return { kind: "paste", text: whole };
    return this.#insert(text.replaceAll("\t", " "));
  }

  #pressed(name: KeyName): Wish | null {
    switch (name) {
      case "enter":
        return this.#submit();
      case "up":
        return this.#recalled(this.#recall.older(this.#line.text));
      case "down":
        return this.#recalled(this.#recall.newer());
      case "redraw":
        return { kind: "redraw" };
      case "interrupt":
      case "escape":
        return this.#leave(name);
      case "end-of-input":
        return this.isEmpty ? this.#leave(name) : this.#edit("delete");
      default:
        return this.#edit(name);
    }
  }

  #edit(name: keyof typeof edits): null {
    this.#line = edits[name](this.#line);
    return null;
  }

  #submit(): Wish | null {
    const { text } = this.#line;
    if (text.trim() === "") return null;
    this.#recall.add(text);
    this.clear();
    return { kind: "submit", text };
  }

  /** What was typed goes first. */
  #leave(by: "interrupt" | "end-of-input" | "escape"): Wish | null {
    if (this.isEmpty) return { kind: "leave", by };
    this.clear();
    return null;
  }

  #recalled(text: string | null): null {
    if (text !== null) this.#line = lineOf(text);
    return null;
  }
}
