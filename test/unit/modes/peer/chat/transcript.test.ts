import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Entry, rowsOf } from "../../../../../src/modes/peer/chat/transcript.ts";

function theirs(text: string): Entry {
  return { kind: "theirs", from: "ben", text };
}

function drawn(entry: Entry, columns: number): string[] {
  return rowsOf(entry, columns).map(({ prefix, text }) => prefix + text);
}

test("bad input 134: newlines cannot imitate a note, another person or a question", () => {
  const text = "hi\n* ben has left\n✓ ana: send it\r\n? accept? [Y/n]\u2028ana: yes\rx";
  expect(drawn(theirs(text), 60)).toEqual([
    "  ben: hi",
    "  ben: * ben has left",
    "  ben: ✓ ana: send it",
    "  ben: ? accept? [Y/n]",
    "  ben: ana: yes",
    "  ben: x",
  ]);
});

test("bad input 134: text that runs over its row never reaches the left edge", () => {
  const rows = drawn(theirs(`${"word ".repeat(10)}${" ".repeat(40)}* ana has left`), 20);
  expect(rows.slice(1).every((row) => row.startsWith(" ".repeat(7)) || row.startsWith("  ben: "))).toBe(true);
});

test.each([
  ["131", "a\u001b[31mred\u001b[2J\u001b[1;1H\u001b[?1049h\u001bc\u001b[3;5rb", "aredb"],
  [
    "132",
    "a\u001b]0;title\u0007\u001b]52;c;ZXZpbA==\u001b\\\u001b]8;;http://x\u0007b\u001bP+q\u001b\\\u009d11;?\u009cc\u001b]1337;x",
    "abc",
  ],
  ["133", "a\u0007\u0007\b\b\b\u0000\u000b\fb", "ab"],
  ["136", `a\u200b\u{e0041}\u00adb${"\u0301".repeat(1_000)}`, `ab${"\u0301".repeat(4)}`],
  ["139", "a\ud800b\ufffe", "a\ufffdb\ufffd"],
  [
    "140",
    "%s %n ${x} $(rm -rf /) `id` {{7*7}} '; DROP TABLE users; -- <script>",
    "%s %n ${x} $(rm -rf /) `id` {{7*7}} '; DROP TABLE users; -- <script>",
  ],
  ["141", "/accept", "/accept"],
])("bad input %s: %j is shown as %j", (_number, text, shown) => {
  expect(drawn(theirs(text), 200)).toEqual([`  ben: ${shown}`]);
});

test("bad input 135: every row of right-to-left text is closed in itself, overrides are gone", () => {
  const rows = rowsOf(theirs(`\u202e${"שלום ".repeat(10)}`), 30);
  expect(rows.length).toBeGreaterThan(1);
  for (const { text } of rows.filter((row) => row.text !== ""))
    expect(text).toMatch(/^\u2068[^\u2068\u2069\u202e]*\u2069$/);
});

test("bad input 137: no row is wider than the screen, whatever it is made of", () => {
  const letter = fc.constantFrom("a", " ", "漢", "👩‍👩‍👧", "🇦🇹", "é", "e\u0301", "ש", "\t", "\n", "ａ");
  const cases = fc.tuple(fc.array(letter, { maxLength: 120 }), fc.integer({ min: 12, max: 60 }));
  fc.assert(
    fc.property(cases, ([letters, columns]) => {
      for (const row of drawn(theirs(letters.join("")), columns))
        expect(Bun.stringWidth(row)).toBeLessThanOrEqual(columns);
    }),
  );
});

test("a wide letter behind a word that was just broken off begins a row of its own", () => {
  expect(drawn(theirs(" aａaa漢"), 12).every((row) => Bun.stringWidth(row) <= 12)).toBe(true);
});

test("bad input 138: a word of 8 KiB is broken, a message of 8 000 lines folded at 200 with a count", () => {
  expect(rowsOf(theirs("x".repeat(8_192)), 80)).toHaveLength(Math.ceil(8_192 / 73));
  const rows = drawn(theirs("\n".repeat(8_000)), 80);
  expect(rows).toHaveLength(201);
  expect(rows.at(-1)).toBe("  ben: (7801 more lines are not shown)");
});

test("bad input 143: on the narrowest screen a name gives way and nothing is thrown", () => {
  for (let columns = 1; columns < 20; columns++) {
    const rows = rowsOf({ kind: "theirs", from: "a".repeat(32), text: "hello 漢字" }, columns);
    expect(
      rows
        .map(({ text }) => text.trim())
        .join("")
        .replaceAll(" ", ""),
    ).toBe("hello漢字");
  }
});
