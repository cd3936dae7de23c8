import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clipToWidth, sanitizeLine, sanitizeLines } from "../../../../src/modes/cli/sanitize.ts";

const ESC = "\u001b";

test.each([
  ["CSI colours", `${ESC}[31mred${ESC}[0m`, "red"],
  ["cursor moves", `a${ESC}[2A${ESC}[10;10Hb`, "ab"],
  ["clear screen, scroll region, alternate screen", `${ESC}[2J${ESC}[1;5r${ESC}[?1049hx`, "x"],
  ["a reset", `${ESC}cx`, "x"],
  ["a character set", `${ESC}(0x`, "x"],
  ["an unfinished sequence", `x${ESC}[31`, "x"],
  ["a lone escape", `x${ESC}`, "x"],
  ["C1 CSI", "\u009b2Jx", "x"],
])("bad input 131: sanitizeLine() removes %s", (_, text, shown) => {
  expect(sanitizeLine(text)).toBe(shown);
});

test.each([
  ["a title", `${ESC}]0;owned\u0007x`, "x"],
  ["a link", `${ESC}]8;;http://a${ESC}\\text${ESC}]8;;${ESC}\\`, "text"],
  ["setting the clipboard", `${ESC}]52;c;aGk=\u0007x`, "x"],
  ["querying the clipboard", `${ESC}]52;c;?${ESC}\\x`, "x"],
  ["querying colours", `${ESC}]10;?\u0007${ESC}]11;?\u0007x`, "x"],
  ["an inline image", `${ESC}]1337;File=:AAAA\u0007x`, "x"],
  ["DCS", `${ESC}P+q544e${ESC}\\x`, "x"],
  ["APC, PM and SOS", `${ESC}_a${ESC}\\${ESC}^b${ESC}\\${ESC}Xc${ESC}\\x`, "x"],
  ["an unterminated OSC", `x${ESC}]0;title`, "x"],
  ["C1 OSC with C1 end", "\u009d0;t\u009cx", "x"],
  ["C1 DCS", "\u0090q\u009cx", "x"],
])("bad input 132: sanitizeLine() removes %s", (_, text, shown) => {
  expect(sanitizeLine(text)).toBe(shown);
});

test("bad input 132: an unterminated string ends with its line", () => {
  expect(sanitizeLines(`a${ESC}]0;title\nb`)).toEqual(["a", "b"]);
});

test.each([
  ["bells", "\u0007\u0007x\u0007", "x"],
  ["backspaces", "ab\b\b\bx", "abx"],
  ["NUL, VT and FF", "a\0b\vc\fd", "abcd"],
  ["DEL", "a\u007fb", "ab"],
])("bad input 133: sanitizeLine() removes %s", (_, text, shown) => {
  expect(sanitizeLine(text)).toBe(shown);
});

test("bad input 133: a carriage return starts a line and never rewrites one", () => {
  expect(sanitizeLine("real\rfake")).toBe("real fake");
  expect(sanitizeLines("real\rfake\r\nmore")).toEqual(["real", "fake", "more"]);
});

test("bad input 134: every line end gives a line of its own, for the caller to put the sender before", () => {
  expect(sanitizeLines("hi\n* eve has left\u2028accept? y\u2029\u0085x")).toEqual([
    "hi",
    "* eve has left",
    "accept? y",
    "",
    "x",
  ]);
  expect(sanitizeLine("a\nb")).toBe("a b");
});

test("bad input 135: direction controls go, and real right-to-left text is isolated", () => {
  expect(sanitizeLine("\u202egpj.exe\u202c")).toBe("gpj.exe");
  expect(sanitizeLine("\u2066a\u2069\u200f\u200e\u061cb")).toBe("ab");
  expect(sanitizeLine("\u2069\u2069x")).toBe("x");
  expect(sanitizeLine("שלום")).toBe("\u2068שלום\u2069");
  expect(sanitizeLine("\u2067שלום")).toBe("\u2068שלום\u2069");
});

test("bad input 136: invisible characters go", () => {
  expect(sanitizeLine("a\u200bb\u2060c\ufeffd\u00ade")).toBe("abcde");
  expect(sanitizeLine("a\u{e0041}\u{e007f}b")).toBe("ab");
  expect(sanitizeLine("a\u200db\u200cc\ufe0fd")).toBe("abcd");
});

test("bad input 136: at most four combining marks stay together, and none begins a line", () => {
  expect(sanitizeLine(`e${"\u0301".repeat(1_000)}`)).toBe(`e${"\u0301".repeat(4)}`);
  expect(sanitizeLines("\u0301\u0302a\n\u0301b")).toEqual(["a", "b"]);
});

test("joiners and variation selectors stay where they have a meaning", () => {
  for (const text of ["👨‍👩‍👧", "❤️", "1️⃣", "👩🏽‍🚀", "क्\u200dष"]) expect(sanitizeLine(text)).toBe(text);
  expect(sanitizeLine("می\u200cخواهم")).toBe("\u2068می\u200cخواهم\u2069");
});

test.each([
  ["lone surrogates", "a\ud800b\udc00c", "a\ufffdb\ufffdc"],
  ["U+FFFE and other noncharacters", "\ufffe\uffff\ufdd0\u{1fffe}", "\ufffd\ufffd\ufffd\ufffd"],
])("bad input 139: sanitizeLine() replaces %s", (_, text, shown) => {
  expect(sanitizeLine(text)).toBe(shown);
});

test.each([
  "%s %n",
  "${HOME}",
  "$(id)",
  "`id`",
  "{{x}}",
  "' OR 1=1 --",
  "<script>alert(1)</script>",
  "\\u001b[31m",
  "ﷺ and 𝒳",
])("bad input 140: %s is shown literally", (text) => {
  expect(sanitizeLine(text).replace(/[\u2068\u2069]/g, "")).toBe(text);
});

test("bad input 148: a file name shows on one line, in its real order", () => {
  expect(sanitizeLine("photo\n\u202egpj.exe")).toBe("photo gpj.exe");
  expect(sanitizeLine("x".repeat(10_000), 20)).toBe(`${"x".repeat(19)}…`);
});

describe("clipToWidth()", () => {
  test.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["漢字漢字", 5, "漢字…"],
    ["漢字漢字", 6, "漢字…"],
    ["👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…"],
    ["🇩🇪🇫🇷", 3, "🇩🇪…"],
    ["e\u0301e\u0301e\u0301", 2, "e\u0301…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ])("bad input 137: cuts %s at %d columns between graphemes", (text, columns, clipped) => {
    expect(clipToWidth(text, columns)).toBe(clipped);
  });

  test("never takes more room than there is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat({ max: 20 }), (text, columns) => {
        expect(Bun.stringWidth(clipToWidth(text, columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe("whatever comes in,", () => {
  const nasty = fc.constantFrom(
    ESC,
    `${ESC}[`,
    `${ESC}]`,
    "\u009b",
    "\u0007",
    "\r",
    "\n",
    "\u202e",
    "\u200d",
    "\u0301",
    "\ud800",
    "א",
    "m",
    "0;",
    "👨",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(nasty, { maxLength: 30 }).map((parts) => parts.join("")),
  );
  // eslint-disable-next-line no-control-regex -- these are what must not remain
  const forbidden = /[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2067\ufeff]|\p{Surrogate}/u;

  test("nothing that steers a terminal comes out", () => {
    fc.assert(
      fc.property(text, (raw) => {
        expect(sanitizeLine(raw)).not.toMatch(forbidden);
        for (const line of sanitizeLines(raw)) expect(line).not.toMatch(forbidden);
      }),
      { numRuns: 2_000 },
    );
  });

  test("cleaning it twice is cleaning it once", () => {
    fc.assert(
      fc.property(text, (raw) => expect(sanitizeLine(sanitizeLine(raw))).toBe(sanitizeLine(raw))),
      { numRuns: 2_000 },
    );
  });

  test("plain text stays as it is", () => {
    fc.assert(fc.property(fc.string({ unit: "grapheme-ascii" }), (raw) => expect(sanitizeLine(raw)).toBe(raw)));
  });
});
