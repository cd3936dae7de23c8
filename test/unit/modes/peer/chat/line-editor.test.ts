import { expect, test } from "bun:test";
import type { Key, KeyName } from "../../../../../src/modes/peer/chat/keys.ts";
import { LineEditor, type Wish } from "../../../../../src/modes/peer/chat/line-editor.ts";

function press(name: KeyName): Key {
  return { kind: "press", name };
}

function typed(text: string): Key {
  return { kind: "text", text };
}

/** Presses all keys. @returns what they asked for */
function wishes(editor: LineEditor, ...keys: readonly Key[]): Wish[] {
  return keys.map((key) => editor.press(key)).filter((wish) => wish !== null);
}

test("enter submits what was written and begins anew; blanks alone are nothing", () => {
  const editor = new LineEditor();
  expect(wishes(editor, typed("hi "), typed("ben"), press("enter"))).toEqual([{ kind: "submit", text: "hi ben" }]);
  expect(wishes(editor, typed("  "), press("enter"))).toEqual([]);
});

test("up and down go through what was written, and come back to what was being written", () => {
  const editor = new LineEditor();
  wishes(editor, typed("one"), press("enter"), typed("two"), press("enter"), typed("dra"));
  const texts = (["up", "up", "up", "down", "down", "down"] as const).map((name) => {
    editor.press(press(name));
    return editor.line.text;
  });
  expect(texts).toEqual(["two", "one", "one", "two", "dra", "dra"]);
});

test.each(["interrupt", "escape"] as const)("%s clears the line first and leaves only an empty one", (name) => {
  const editor = new LineEditor();
  expect(wishes(editor, typed("draft"), press(name))).toEqual([]);
  expect(editor.isEmpty).toBe(true);
  expect(wishes(editor, press(name))).toEqual([{ kind: "leave", by: name }]);
});

test("the end of input leaves an empty line and deletes forward in another", () => {
  const editor = new LineEditor();
  expect(wishes(editor, typed("ab"), press("home"), press("end-of-input"))).toEqual([]);
  expect(editor.line).toEqual({ text: "b", cursor: 0 });
  expect(wishes(editor, press("delete"), press("end-of-input"))).toEqual([{ kind: "leave", by: "end-of-input" }]);
});

test("bad input 142: a paste of several lines is one text that is asked about, and the line stays", () => {
  const editor = new LineEditor();
  wishes(editor, typed("see: "));
  const asked = editor.press({ kind: "paste", text: "a\r\n\u001b[31mb\rc\r" });
  expect(asked).toEqual({ kind: "paste", text: "see: a\n[31mb\nc" });
  expect(editor.line.text).toBe("see: ");
});

test("bad input 142: a paste beyond 8 KiB is asked about, one that fits into the line is put there", () => {
  const editor = new LineEditor();
  expect(editor.press({ kind: "paste", text: "one line\tof text\n" })).toBeNull();
  expect(editor.line.text).toBe("one line of text");
  expect(editor.press({ kind: "paste", text: "x".repeat(8_192) })).toMatchObject({ kind: "paste" });
  expect(editor.press({ kind: "paste", text: null })).toEqual({ kind: "too-long" });
});

test("bad input 138: a line takes 8 KiB of typing and no byte more", () => {
  const editor = new LineEditor();
  wishes(editor, typed("é".repeat(4_096)));
  expect(wishes(editor, typed("x"))).toEqual([{ kind: "too-long" }]);
  expect(editor.line.text).toBe("é".repeat(4_096));
});
