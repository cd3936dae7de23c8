import { expect, test } from "bun:test";
import { Glob } from "bun";

// Three times in the history of such programs a refactoring left out the step that makes a remote name harmless. Here only one file can
// join such a name to a folder, and the type system keeps others from calling it with anything else than what localName() made.

const root = new URL("../../../../../src/", import.meta.url).pathname;
/** Of files that see remote names: the one that makes local ones, and those that join what this computer's person or system named. */
const mayJoin = new Set([
  "modes/peer/transfer/local-name.ts",
  "modes/peer/transfer/prepare.ts",
  "modes/peer/transfer/private-file.ts",
  "modes/peer/transfer/receiving-folder.ts",
]);

async function sources(): Promise<ReadonlyArray<readonly [string, string]>> {
  const paths = [...new Glob("**/*.ts").scanSync(root)].filter((path) => !path.startsWith("wire/"));
  return Promise.all(paths.map(async (path) => [path, await Bun.file(root + path).text()] as const));
}

/** It handles messages of a transfer, or stands among those that do. */
function seesRemoteNames(path: string, text: string): boolean {
  return (
    path.startsWith("modes/peer/transfer/") ||
    /messages\/transfer\.ts|peer\/transfer\/(?:offer|entry-list)\.ts/.test(text)
  );
}

test("of the code that sees remote names only one file joins them to a folder", async () => {
  const seeing = (await sources()).filter(([path, text]) => seesRemoteNames(path, text));
  expect(seeing.length).toBeGreaterThan(10);
  const joining = seeing.filter(([, text]) =>
    /from "(?:node:)?path(?:\/\w+)?"|(?<!\.)\bpath\.(?:join|resolve)\b/.test(text),
  );
  expect(joining.map(([path]) => path).filter((path) => !mayJoin.has(path))).toEqual([]);
});

test("of the code that sees remote names none builds a path by hand", async () => {
  for (const [path, text] of await sources()) {
    if (!seesRemoteNames(path, text)) continue;
    const byHand = text.match(/\}[/\\]+\$\{|\+ *["'`][/\\]["'`] *\+|\bsep\b/g);
    expect([path, byHand]).toEqual([path, null]);
  }
});

test("a LocalName is made in one file only", async () => {
  const casting = (await sources()).filter(([, text]) => /\bas (?:unknown as )?LocalName\b/.test(text));
  expect(casting.map(([path]) => path)).toEqual(["modes/peer/transfer/local-name.ts"]);
});

test("what joins a name to the receiving folder takes nothing but a LocalName", async () => {
  const text = await Bun.file(`${root}modes/peer/transfer/local-name.ts`).text();
  expect(text.match(/join\(/g)?.length).toBe(2);
  expect(text).toContain("export function pathIn(folder: string, name: LocalName): string");
  expect(text).toContain("export function partialPathIn(folder: string, id: string, entry: number): string");
});
