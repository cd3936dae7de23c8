import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  boundaries,
  edits,
  emptyLine,
  insert,
  type Line,
  lineOf,
  visiblePart,
} from "../../../../../src/modes/peer/chat/editing.ts";

/** With the cursor shown as a bar. */
function shown({ text, cursor }: Line): string {
  return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
}

function line(marked: string): Line {
  const cursor = marked.indexOf("|");
  return { text: marked.replace("|", ""), cursor };
}

test.each([
  ["backspace", "ab|c", "a|c"],
  ["backspace", "|abc", "|abc"],
  ["backspace", "👩‍👩‍👧|x", "|x"],
  ["backspace", "e\u0301|", "|"],
  ["delete", "a|🇦🇹b", "a|b"],
  ["delete", "abc|", "abc|"],
  ["left", "漢|字", "|漢字"],
  ["right", "|👍🏽x", "👍🏽|x"],
  ["home", "ab|", "|ab"],
  ["end", "|ab", "ab|"],
  ["word-left", "one  two  |", "one  |two  "],
  ["word-right", "|  one two", "  one| two"],
  ["kill-to-end", "one| two", "one|"],
  ["kill-to-start", "one| two", "| two"],
  ["kill-word", "one two|", "one |"],
] as const)("%s makes %j of %j", (edit, before, after) => {
  expect(shown(edits[edit](line(before)))).toBe(after);
});

test("a mark that is typed joins the letter before it, and goes with it", () => {
  const written = insert(insert(emptyLine, "e"), "\u0301");
  expect(boundaries(written.text)).toEqual([0, 2]);
  expect(edits.backspace(written)).toEqual(emptyLine);
});

const letters = fc.constantFrom(
  "a",
  "b",
  " ",
  "é",
  "e\u0301",
  "漢",
  "ａ",
  "🇦",
  "🇹",
  "👩",
  "\u200d",
  "👧",
  "\ufe0f",
  "ש",
  "ל",
  "\u0301",
);
const step = fc.oneof(
  fc.array(letters, { maxLength: 4 }).map((typed) => (before: Line) => insert(before, typed.join(""))),
  fc.constantFrom(...Object.values(edits)),
);

test("whatever is done, the cursor stands between graphemes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      for (let at = 0, now: Line = emptyLine; at < steps.length; at++) {
        now = steps[at]?.(now) ?? now;
        expect(boundaries(now.text)).toContain(now.cursor);
      }
    }),
  );
});

test("bad input 137: the part shown never has more columns than there are, and the cursor is in it", () => {
  const cases = fc.tuple(fc.array(letters, { maxLength: 60 }), fc.nat(60), fc.integer({ min: 1, max: 40 }));
  fc.assert(
    fc.property(cases, ([typed, steps, columns]) => {
      let now = lineOf(typed.join(""));
      for (let at = 0; at < steps; at++) now = edits.left(now);
      const part = visiblePart(now, columns);
      expect(Bun.stringWidth(part.text)).toBeLessThanOrEqual(columns);
      expect(part.cursorColumn).toBeGreaterThanOrEqual(0);
      expect(part.cursorColumn).toBeLessThan(columns);
    }),
  );
});

test("bad input 137: the cursor's column counts wide characters twice and marks not at all", () => {
  expect(visiblePart(line("漢字e\u0301👍|x"), 40)).toEqual({ text: "漢字e\u0301👍x", cursorColumn: 7 });
});

test("a line longer than the row moves by half a row", () => {
  const long = { text: "0123456789abcdefghij", cursor: 12 };
  expect(visiblePart(long, 10)).toEqual({ text: "56789abcde", cursorColumn: 7 });
  expect(visiblePart({ ...long, cursor: 9 }, 10)).toEqual({ text: "0123456789", cursorColumn: 9 });
});
