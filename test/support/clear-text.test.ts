import { expect, test } from "bun:test";
import { utf8 } from "../../src/wire/bytes.ts";
import { found } from "./clear-text.ts";

const secret = { name: "it", bytes: utf8("a secret of ours??>>") };
const inside = (before: number, after: number) =>
  Buffer.concat([Buffer.alloc(before, 0xff), secret.bytes, Buffer.alloc(after, 0xff)]);

test("found() names nothing where the secret does not stand", () => {
  expect(found([secret], [Buffer.from("another secret"), Buffer.alloc(0)])).toEqual([]);
});

test("found() finds a secret inside something longer, in every spelling", () => {
  for (const spelling of ["latin1", "utf16le", "hex", "base64", "base64url"] as const)
    for (const [before, after] of [0, 1, 2, 3].flatMap((before) =>
      [0, 1, 2].map((after) => [before, after] as const),
    )) {
      const bytes = inside(before, after);
      const text = spelling === "utf16le" ? bytes.toString("latin1") : bytes.toString(spelling);
      const encoding = spelling === "utf16le" || spelling === "latin1" ? spelling : "latin1";
      expect(found([secret], [Buffer.from(text, encoding)]).length).toBeGreaterThan(0);
    }
});
