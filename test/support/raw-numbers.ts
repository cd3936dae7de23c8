import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./sources.ts";

/** Numbers of bad inputs in the names of tests → the files they stand in, from `test/`, sorted. */
export function automated(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const path of [...new Bun.Glob("**/*.ts").scanSync(join(root, "test"))].toSorted()) {
    const file = path.replaceAll("\\", "/");
    if (file.startsWith("support/") || file === "unit/bad-inputs.test.ts") continue;
    for (const number of numbersIn(readFileSync(join(root, "test", path), "utf8")))
      found.set(number, [...(found.get(number) ?? []), file]);
  }
  return found;
}

function numbersIn(text: string): Set<number> {
  const numbers = new Set<number>();
  for (const [, list = ""] of text.matchAll(/bad inputs? ((?:\d+(?:, | and | to )?)+)/g)) {
    for (const [, from, to] of list.matchAll(/(\d+) to (\d+)/g))
      for (let number = Number(from); number <= Number(to); number++) numbers.add(number);
    for (const [number] of list.matchAll(/\d+/g)) numbers.add(Number(number));
  }
  // A table whose rows begin with the number that stands in the name.
  if (/bad input %[sd]:/.test(text))
    for (const [, number] of text.matchAll(/\[\s*"?(\d{1,3})"?,/g)) numbers.add(Number(number));
  return numbers;
}
