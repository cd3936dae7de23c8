import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Key, KeyDecoder, MAX_PASTE } from "../../../../../src/modes/peer/chat/keys.ts";
import { utf8 } from "../../../../../src/wire/bytes.ts";

const ESC = "\u001b";

function decode(...pieces: readonly string[]): Key[] {
  const decoder = new KeyDecoder();
  const keys = pieces.flatMap((piece) => decoder.feed(utf8(piece)));
  return decoder.pending ? [...keys, ...decoder.flush()] : keys;
}

function press(name: (Key & { kind: "press" })["name"]): Key {
  return { kind: "press", name };
}

test.each([
  ["\r", "enter"],
  ["\u007f", "backspace"],
  ["\u0015", "kill-to-start"],
  ["\u000b", "kill-to-end"],
  ["\u0017", "kill-word"],
  ["\u0003", "interrupt"],
  ["\u0004", "end-of-input"],
  [`${ESC}[A`, "up"],
  [`${ESC}OB`, "down"],
  [`${ESC}[1;5D`, "word-left"],
  [`${ESC}[1;3C`, "word-right"],
  [`${ESC}b`, "word-left"],
  [`${ESC}f`, "word-right"],
  [`${ESC}\u007f`, "kill-word"],
  [`${ESC}[1;2D`, "left"],
  [`${ESC}[3~`, "delete"],
  [`${ESC}[1~`, "home"],
  [`${ESC}OF`, "end"],
  [ESC, "escape"],
] as const)("%j is the key %s", (bytes, name) => {
  expect(decode(bytes)).toEqual([press(name)]);
});

test("a sequence nobody knows is no text", () => {
  expect(decode(`a${ESC}[?1;2c${ESC}[15~${ESC}Z${ESC}é${ESC}OPb`)).toEqual([
    { kind: "text", text: "a" },
    { kind: "text", text: "b" },
  ]);
});

test("two escapes in a row are one escape and what the second begins", () => {
  expect(decode(`${ESC}${ESC}[A`)).toEqual([press("escape"), press("up")]);
});

test("wherever a read ends, the keys are the same", () => {
  const atom = fc.constantFrom(
    "a",
    "é",
    "漢",
    "👩‍👩‍👧",
    "\r",
    `${ESC}[A`,
    `${ESC}[1;5C`,
    `${ESC}Ob`,
    `${ESC}[200~x\ry${ESC}[201~`,
  );
  const input = fc.tuple(fc.array(atom, { maxLength: 12 }), fc.array(fc.nat(200), { maxLength: 8 }));
  fc.assert(
    fc.property(input, ([atoms, cuts]) => {
      const bytes = utf8(atoms.join(""));
      const decoder = new KeyDecoder();
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      const keys = at.slice(1).flatMap((end, index) => decoder.feed(bytes.subarray(at[index], end)));
      expect(joined(keys)).toEqual(joined(new KeyDecoder().feed(bytes)));
      expect(decoder.pending).toBe(false);
    }),
  );
});

test("whatever bytes come, they become keys, and text carries no control character", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (reads) => {
      const decoder = new KeyDecoder();
      const keys = [...reads.flatMap((read) => decoder.feed(read)), ...decoder.flush()];
      for (const key of keys) if (key.kind === "text") expect(key.text).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test("bad input 142: a marked paste is one text, whatever is in it, and ends only at its mark", () => {
  const pasted = `a\r\n${ESC}[31mred${ESC}[2J\u0003${ESC}[20`;
  expect(decode(`x${ESC}[200~`, pasted, `${ESC}[2`, "01~y")).toEqual([
    { kind: "text", text: "x" },
    { kind: "paste", text: pasted },
    { kind: "text", text: "y" },
  ]);
});

test("bad input 142: a megabyte in one paste is kept, a little more is not", () => {
  const paste = (length: number) => decode(...chunks(`${ESC}[200~${"p".repeat(length)}${ESC}[201~q`));
  expect(paste(MAX_PASTE - 6)[0]).toEqual({ kind: "paste", text: "p".repeat(MAX_PASTE - 6) });
  expect(paste(MAX_PASTE + 1)).toEqual([
    { kind: "paste", text: null },
    { kind: "text", text: "q" },
  ]);
});

test("bad input 142: a paste that the terminal does not mark is known by its size, and silence ends it", () => {
  const text = `${"line\r".repeat(1_000)}${ESC}[31m/quit\r`;
  const decoder = new KeyDecoder();
  expect(chunks(text).flatMap((piece) => decoder.feed(utf8(piece)))).toEqual([]);
  expect(decoder.pending).toBe(true);
  expect(decoder.flush()).toEqual([{ kind: "paste", text }]);
  expect(decoder.pending).toBe(false);
});

/** As a terminal's reads cut it. */
function chunks(text: string): string[] {
  return text.match(/.{1,4096}/gs) ?? [];
}

/** Text that came in two reads is the same text. */
function joined(keys: readonly Key[]): Key[] {
  const result: Key[] = [];
  for (const key of keys) {
    const last = result.at(-1);
    if (key.kind === "text" && last?.kind === "text")
      result[result.length - 1] = { kind: "text", text: last.text + key.text };
    else result.push(key);
  }
  return result;
}
