import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of the repository. */
export const root = join(import.meta.dir, "../..");

export interface Source {
  /** From the root, with forward slashes: `src/wire/core.ts`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** The imported file from the root, or the name of a package as it stands in the import. */
  readonly to: string;
  /** `type` leaves nothing behind when compiled; `dynamic` is `import()`. */
  readonly how: "static" | "dynamic" | "type";
}

/** Every module under `src`. */
export function modules(): Source[] {
  const paths = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })].map((path) => path.replaceAll("\\", "/"));
  return paths.toSorted().map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

export function importsOf({ path, text }: Source): Import[] {
  const code = withoutComments(text);
  const statements = code.matchAll(/^(?:import|export)\s+(type\s)?(?:[^;"'`]*?\sfrom\s+)?["']([^"']+)["']/gm);
  const calls = code.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [
    ...[...statements].map(
      ([, type, name]) => ({ to: resolve(path, name ?? ""), how: type ? "type" : "static" }) as const,
    ),
    ...[...calls].map(([, name]) => ({ to: resolve(path, name ?? ""), how: "dynamic" }) as const),
  ];
}

/** Strings are stepped over, so that the `//` of an address in one is not taken for a comment. */
export function withoutComments(text: string): string {
  const stringOrComment = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/.*|\/\*[^]*?\*\//g;
  return text.replaceAll(stringOrComment, (_, string: string | undefined) => string ?? "");
}

function resolve(from: string, name: string): string {
  return name.startsWith(".") ? join(dirname(from), name).replaceAll("\\", "/") : name;
}
