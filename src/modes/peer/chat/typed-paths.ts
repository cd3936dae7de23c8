import { existsSync } from "node:fs";
import path from "node:path";

/** What decides how a typed path is read. */
export interface PathRules {
  /** For `~/`; null when it is not known. */
  readonly userFolder: string | null;
  /** A backslash parts folders and quotes nothing. */
  readonly isWindows: boolean;
  readonly exists: (path: string) => boolean;
}

export function pathRules(env: Readonly<Record<string, string | undefined>>): PathRules {
  const isWindows = process.platform === "win32";
  return { userFolder: env[isWindows ? "USERPROFILE" : "HOME"] ?? null, isWindows, exists: existsSync };
}

/**
 * Paths as people type them, or drop them on a terminal: quoted, escaped, several in a row. What exists as it stands is one path,
 * blanks or not.
 */
export function typedPaths(text: string, rules: PathRules): string[] {
  const whole = withUserFolder(text.trim(), rules);
  if (whole === "" || rules.exists(whole)) return whole === "" ? [] : [whole];
  return words(text, rules).map((word) => withUserFolder(word, rules));
}

function words(text: string, { isWindows }: PathRules): string[] {
  const part = isWindows
    ? /"([^"]*)"?|(\s+)|([^\s"]+)/gy
    : /'([^']*)'?|"((?:\\.|[^"\\])*)"?|(\s+)|((?:\\.|[^\s'"\\])+|\\)/gsy;
  const found: string[] = [];
  let word: string | null = null;
  for (const match of text.matchAll(part)) {
    const isGap = /^\s+$/u.test(match[0]);
    if (isGap && word !== null) found.push(word);
    word = isGap ? null : (word ?? "") + unquoted(match[0], isWindows);
  }
  return word === null ? found : [...found, word];
}

function unquoted(part: string, isWindows: boolean): string {
  if (part.startsWith("'") && !isWindows) return part.replace(/^'|'$/g, "");
  const inner = part.replace(/^"|"$/g, "");
  return isWindows ? inner : inner.replace(/\\(.)/gsu, "$1");
}

function withUserFolder(typed: string, { userFolder }: PathRules): string {
  if (userFolder === null || !/^~(?:[/\\]|$)/u.test(typed)) return typed;
  return path.join(userFolder, typed.slice(1));
}
