import { expect, test } from "bun:test";
import { JoinedChunks } from "../../../../src/wire/session/fates.ts";
import { Notes } from "./fates.ts";

test("JoinedChunks tells chunks that follow on each other once", () => {
  const notes = new Notes();
  const joined = new JoinedChunks(notes);
  joined.chunk({ stream: 4, offset: 0, length: 10, fin: false });
  joined.chunk({ stream: 4, offset: 10, length: 5, fin: false });
  joined.chunk({ stream: 4, offset: 15, length: 0, fin: true });
  expect(notes.chunks).toEqual([]);
  joined.end();
  joined.end();
  expect(notes.chunks).toEqual([{ stream: 4, offset: 0, length: 15, fin: true }]);
});

test("JoinedChunks keeps apart what leaves a gap, goes backwards, is of another stream or comes behind an end", () => {
  const notes = new Notes();
  const joined = new JoinedChunks(notes);
  const chunks = [
    { stream: 4, offset: 10, length: 10, fin: false },
    { stream: 4, offset: 21, length: 10, fin: false },
    { stream: 4, offset: 0, length: 10, fin: false },
    { stream: 8, offset: 10, length: 10, fin: true },
    { stream: 8, offset: 20, length: 0, fin: true },
  ];
  for (const chunk of chunks) joined.chunk(chunk);
  joined.end();
  expect(notes.chunks).toEqual(chunks);
});
