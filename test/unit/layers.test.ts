import { expect, test } from "bun:test";
import { type Import, importsOf, modules, type Source, withoutComments } from "../support/sources.ts";

const base = /^src\/wire\/[^/]+\.ts$/;

/**
 * Which files a file may import, by the first row whose `of` it matches; what its own row matches it may always import.
 * CONTRIBUTING.md draws these arrows.
 */
const arrows: readonly { readonly of: RegExp; readonly to: readonly RegExp[] }[] = [
  { of: /^src\/main\.ts$/, to: [/^src\/modes\//] },
  { of: /^src\/modes\/server\//, to: [/^src\/modes\/(cli|runtime)\//, /^src\/wire\//, /^src\/store\//] },
  { of: /^src\/modes\/peer\//, to: [/^src\/modes\/(cli|runtime)\//, /^src\/wire\//] },
  { of: /^src\/modes\/cli\//, to: [/^src\/wire\//] },
  { of: /^src\/modes\/runtime\//, to: [/^src\/modes\/cli\//, /^src\/wire\//] },
  { of: /^src\/store\//, to: [base] },
  { of: base, to: [] },
  { of: /^src\/wire\/codec\//, to: [base] },
  { of: /^src\/wire\/messages\//, to: [base, /^src\/wire\/codec\//] },
  { of: /^src\/wire\/noise\//, to: [base] },
  { of: /^src\/wire\/tree\//, to: [base, /^src\/wire\/noise\//] },
  { of: /^src\/wire\/packet\//, to: [base, /^src\/wire\/noise\//] },
  { of: /^src\/wire\/congestion\//, to: [base] },
  { of: /^src\/wire\/(rendezvous|traversal|relay|cluster)\//, to: [base, /^src\/wire\/(codec|messages|noise)\//] },
  { of: /^src\/wire\/session\//, to: [base, /^src\/wire\/(codec|messages|noise|packet|congestion)\//] },
];

const nowhere = /(?!)/;

/** The only places that may name a package from outside; everything else a wire module imports is its own. */
const packages: readonly { readonly of: RegExp; readonly only: RegExp }[] = [
  { of: /^(node:)?crypto$/, only: /^src\/(wire\/noise\/primitives|modes\/server\/tls)\.ts$/ }, // and reads certificates
  { of: /^msgpackr\/pack$/, only: /^src\/wire\/codec\// },
  { of: /^msgpackr/, only: nowhere }, // its main module looks for a native addon beside the program
  { of: /^mongodb$/, only: /^src\/store\/mongodb\// },
  { of: /^ioredis$/, only: /^src\/store\/redis\// },
  { of: /^(hono|jose)(\/|$)/, only: /^src\/modes\/server\// },
  { of: /^prom-client$/, only: /^src\/modes\/server\/metrics\.ts$/ }, // loaded with --metrics only
  { of: /^@clack\//, only: /^src\/modes\/peer\// },
  { of: /./, only: /^src\/(?!wire\/)/ },
];

/** What would bring a clock, chance, a timer or the world outside into a protocol core. */
const impure =
  /\b(Date\.now|new Date\b|performance\.|Math\.random|setTimeout|setInterval|setImmediate|queueMicrotask|crypto\.(getRandomValues|randomUUID)|randomBytes\(|fetch\(|Bun\.|process\.|console\.|new WebSocket\b)/;

function offences({ path }: Source, { to, how }: Import): string[] {
  const line = `${path} ${how === "dynamic" ? "loads" : "imports"} ${to}`;
  if (!to.startsWith("src/")) {
    const rule = packages.find(({ of }) => of.test(to));
    return rule === undefined || rule.only.test(path) ? [] : [line];
  }
  const row = arrows.find(({ of }) => of.test(path));
  const allowed = row !== undefined && [row.of, ...row.to].some((pattern) => pattern.test(to));
  return allowed ? [] : [line];
}

/** Loaded only when asked for: the modes by main, the drivers by store/open.ts. */
function eager({ path }: Source, { to, how }: Import): string[] {
  const lazy =
    (path === "src/main.ts" && to.startsWith("src/modes/")) ||
    (/^src\/store\/(mongodb|redis)\//.test(to) && !/^src\/store\/(mongodb|redis)\//.test(path));
  return lazy && how === "static" ? [`${path} imports ${to} at once`] : [];
}

function planted(path: string, text: string): string[] {
  const source = { path, text };
  return importsOf(source).flatMap((item) => [...offences(source, item), ...eager(source, item)]);
}

test("every import follows the arrows", () => {
  const found = modules().flatMap((source) => importsOf(source).flatMap((item) => offences(source, item)));
  expect(found).toEqual([]);
});

test("modes and database drivers are loaded only when asked for", () => {
  const found = modules().flatMap((source) => importsOf(source).flatMap((item) => eager(source, item)));
  expect(found).toEqual([]);
});

test("src/wire has no clock, chance, timer or input and output of its own", () => {
  const wire = modules().filter(({ path }) => path.startsWith("src/wire/") && path !== "src/wire/noise/primitives.ts");
  expect(wire.filter(({ text }) => impure.test(withoutComments(text))).map(({ path }) => path)).toEqual([]);
  expect(impure.test("const at = Date.now();")).toBe(true);
});

test("every file of src stands in a layer", () => {
  const strays = modules().filter(({ path }) => !arrows.some(({ of }) => of.test(path)));
  expect(strays.map(({ path }) => path)).toEqual([]);
});

test.each([
  ["src/modes/server/a.ts", 'import { b } from "../peer/b.ts";'],
  ["src/modes/peer/a.ts", 'import type { B } from "../../store/b.ts";'],
  ["src/modes/cli/a.ts", 'export * from "../runtime/b.ts";'],
  ["src/wire/relay/a.ts", 'import {\n  b,\n  c,\n} from "../session/b.ts";'],
  ["src/wire/codec/a.ts", 'const b = await import("../messages/b.ts");'],
  ["src/wire/noise/handshake.ts", 'import { createHash } from "node:crypto";'],
  ["src/wire/codec/a.ts", 'import { pack } from "msgpackr";'],
  ["src/wire/session/a.ts", 'import "node:fs";'],
  ["src/store/open.ts", 'import { MongoClient } from "mongodb";'],
  ["src/store/open.ts", 'import { openRedis } from "./redis/open.ts";'],
  ["src/main.ts", 'import { runPeer } from "./modes/peer/peer.ts";'],
])("an import against the arrows is seen: in %s, %s", (path, text) => {
  expect(planted(path, text)).toHaveLength(1);
});

test("an import that only a comment or a string speaks of is none", () => {
  const text = '// import "mongodb";\n/*\nimport "mongodb";\n*/\nconst link = "p2p://a"; // import("mongodb")\n';
  expect(planted("src/wire/core.ts", text)).toEqual([]);
});
