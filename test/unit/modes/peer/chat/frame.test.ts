import { expect, test } from "bun:test";
import fc from "fast-check";
import { lineOf } from "../../../../../src/modes/peer/chat/editing.ts";
import { frameOf, type FrameParts } from "../../../../../src/modes/peer/chat/frame.ts";
import { ChatState } from "../../../../../src/modes/peer/chat/state.ts";

function parts(more: Partial<FrameParts> = {}): FrameParts {
  const state = new ChatState("ana", "ben", { kind: "lan", remote: "10.0.0.2:4000", rttMs: 0.4, why: "" });
  return { state, question: null, progress: "", silentMs: null, line: lineOf("hello"), now: 0, ...more };
}

function texts(more: Partial<FrameParts>, columns: number, rows: number): string[] {
  return frameOf(parts(more), columns, rows).rows.map(({ text }) => text);
}

test("frameOf() puts the line last, the path above it, a question above that", () => {
  const question = { prompt: "save 1 file of ben?", fallback: true };
  expect(texts({ question, progress: "45% of 3 MB" }, 80, 24)).toEqual([
    "? save 1 file of ben? [Y/n]",
    "ben · in the local network, 0.40 ms · 45% of 3 MB",
    "> hello",
  ]);
});

test("frameOf() says why the server carries the chat, as far as there is room", () => {
  const path = { kind: "relay-ws", remote: "192.0.2.1:7420", rttMs: 25, why: "UDP is blocked on their side" } as const;
  const state = new ChatState("ana", "ben", path);
  expect(texts({ state }, 80, 24)).toContain("ben · over the server, 25.0 ms · UDP is blocked on their side");
  expect(texts({ state, progress: "45% of 3 MB" }, 50, 24)).toContain(
    "ben · over the server, 25.0 ms · 45% of 3 MB · U…",
  );
});

test("frameOf() says of somebody silent for how long, and nothing that may be untrue", () => {
  expect(texts({ silentMs: 12_900, progress: "17% of 3 GB, 27.1 MB/s, 10 s left" }, 80, 24)).toEqual([
    "no sign of ben for 12 s; waiting",
    "> hello",
  ]);
});

test("frameOf() shows five lines on their way and counts the rest", () => {
  const { state } = parts();
  for (let at = 1; at <= 7; at++) state.said(`${at}`, `line ${at}`);
  const rows = texts({ state }, 80, 24);
  expect(rows.slice(0, 6)).toEqual([...[1, 2, 3, 4, 5].map((at) => `· ana: line ${at}`), "· and 2 more"]);
});

test("bad input 143: frameOf() gives up rows from the top where there is no room, and never the line", () => {
  const question = { prompt: "save 1 file of ben?", fallback: true };
  expect(texts({ question }, 20, 2)).toEqual(["ben · in the local…", "> hello"]);
  expect(texts({ question }, 20, 1)).toEqual(["> hello"]);
  expect(texts({ question }, 1, 1)).toEqual(["o"]);
});

test("bad input 143: no row of frameOf() reaches the last column, at any size", () => {
  const sizes = fc.tuple(
    fc.integer({ min: 2, max: 500 }),
    fc.integer({ min: 1, max: 200 }),
    fc.string({ unit: "grapheme" }),
  );
  fc.assert(
    fc.property(sizes, ([columns, rows, typed]) => {
      const { state } = parts();
      state.said("1", typed);
      const question = { prompt: typed, fallback: false };
      const frame = frameOf(
        parts({ state, question, progress: typed, line: lineOf(typed.replace(/\p{C}/gu, "")) }),
        columns,
        rows,
      );
      for (const { text } of frame.rows) expect(Bun.stringWidth(text)).toBeLessThan(columns);
      expect(frame.rows.length).toBeLessThanOrEqual(Math.max(1, rows));
      expect(frame.cursorColumn).toBeLessThan(columns);
    }),
  );
});
