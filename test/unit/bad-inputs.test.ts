import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { automated } from "../support/raw-numbers.ts";
import { root } from "../support/sources.ts";

const text = readFileSync(join(root, "test/BAD-INPUTS.md"), "utf8");
const rows = Array.from(text.matchAll(/^\| (\d+) +\| [^|]+ \| ([^|]+?) +\|$/gm), ([, number = "", where = ""]) => {
  const files = Array.from(where.matchAll(/`([^`]+\.ts)`/g), ([, file = ""]) => file);
  return { number: Number(number), where, files };
});
const found = automated();

test("BAD-INPUTS.md has a row for each number, in order", () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 192 }, (_, index) => index + 1));
});

test("BAD-INPUTS.md names a file only where a test in it has the number in its name", () => {
  const untrue = rows.flatMap(({ number, files }) =>
    files.filter((file) => found.get(number)?.includes(file) !== true).map((file) => `${number} ${file}`),
  );
  expect(untrue).toEqual([]);
});

test("BAD-INPUTS.md gives a reason where it names no test", () => {
  const reason = /^(not yet: belongs to |not yet: nothing |does not arise: )/;
  expect(rows.filter(({ where, files }) => files.length === 0 && !reason.test(where))).toEqual([]);
});
