import type { Readable } from "node:stream";
import { edits, insert, type Line, lineOf } from "../chat/editing.ts";
import { type Key, KeyDecoder } from "../chat/keys.ts";

/** What is being typed into a question, read along, so that it can be asked again with it: the library keeps it to itself. */
export class Draft implements Disposable {
  readonly #stdin: Readable;
  readonly #decoder = new KeyDecoder();
  #line: Line;

  constructor(stdin: Readable, begun: string) {
    this.#stdin = stdin;
    this.#line = lineOf(begun);
    stdin.on("data", this.#read);
  }

  get text(): string {
    return this.#line.text;
  }

  [Symbol.dispose](): void {
    this.#stdin.off("data", this.#read);
  }

  readonly #read = (chunk: Uint8Array | string): void => {
    for (const key of this.#decoder.feed(Buffer.from(chunk as Uint8Array))) this.#line = typed(this.#line, key);
  };
}

function typed(line: Line, key: Key): Line {
  if (key.kind === "text") return insert(line, key.text);
  if (key.kind === "paste") return key.text === null ? line : insert(line, key.text.replace(/[\r\n].*$/s, ""));
  const edit = (edits as Readonly<Partial<Record<string, (before: Line) => Line>>>)[key.name];
  return edit === undefined ? line : edit(line);
}
