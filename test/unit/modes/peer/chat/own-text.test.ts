import { expect, test } from "bun:test";
import fc from "fast-check";
import { fitsOneMessage, messagesOf, ownText } from "../../../../../src/modes/peer/chat/own-text.ts";

test("bad input 142: what was pasted is text: no control characters, line feeds between lines, none behind", () => {
  expect(ownText("a\r\nb\rc\u0000\u001b]0;t\u0007\u009b1m\td\r\n\n")).toBe("a\nb\nc]0;t1m\td");
});

test("long text becomes messages cut between lines, which together say the same", () => {
  const text = Array.from({ length: 600 }, (_, at) => `line ${at} ${"-".repeat(at % 50)}`).join("\n");
  const messages = messagesOf(text);
  expect(messages.length).toBeGreaterThan(2);
  expect(messages.every(fitsOneMessage)).toBe(true);
  expect(messages.join("\n")).toBe(text);
});

test("a single endless word, or a letter under thousands of marks, is cut where it must be", () => {
  const piece = fc.constantFrom("x".repeat(5_000), "漢".repeat(3_000), "👩‍👩‍👧".repeat(400), `e${"\u0301".repeat(5_000)}`);
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (parts) => {
      const messages = messagesOf(parts.join(""));
      expect(messages.every(fitsOneMessage)).toBe(true);
      expect(messages.join("")).toBe(parts.join(""));
    }),
    { numRuns: 20 },
  );
});
