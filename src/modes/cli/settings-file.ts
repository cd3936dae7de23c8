import { readFileSync, statSync } from "node:fs";
import { UserError } from "./errors.ts";
import { type FlagName, flags, isFlagName, laterFlags } from "./flags.ts";
import type { Source } from "./settings.ts";
import { nearest } from "./suggest.ts";

export type SettingsFileKind = "peer" | "server";

interface Line {
  readonly name: FlagName;
  readonly number: number;
  readonly texts: readonly string[];
}

const MAX_BYTES = 1_048_576;

/**
 * Reads `config.toml` of a person or `server.toml` of a server: one setting a line, the key being a long flag name, `#` for
 * comments, values as in TOML, no tables. Each line is read by itself, so that an error knows its line. No file: no settings.
 * @throws UserError `config` with file, line and key
 */
export function readSettingsFile(path: string, kind: SettingsFileKind): Source {
  const lines = new Map<FlagName, Line>();
  for (const [index, text] of contents(path).split(/\r?\n/).entries()) {
    const line = parseLine(text, kind, index + 1, (key) => `${path}:${index + 1}: ${key}`);
    if (line === null) continue;
    const before = lines.get(line.name);
    if (before !== undefined && !flags[line.name].many)
      throw problem(
        `${path}:${line.number}: ${line.name}: it stands in line ${before.number} already`,
        "keep one of them",
      );
    lines.set(line.name, { ...line, texts: [...(before?.texts ?? []), ...line.texts] });
  }
  return {
    origin: "file",
    values: new Map([...lines].map(([name, line]) => [name, line.texts])),
    place: (name) => `${path}:${lines.get(name)?.number ?? 0}: ${name}`,
  };
}

function contents(path: string): string {
  try {
    const size = statSync(path).size;
    if (size > MAX_BYTES) throw problem(`${path}: the file is larger than 1 MiB`, "keep one setting a line");
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    return whenUnreadable(path, error);
  }
}

function whenUnreadable(path: string, error: unknown): string {
  if (error instanceof UserError) throw error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return "";
  if (code === "EISDIR") throw problem(`${path}: this is a folder, not a file`, "remove it, or choose another folder");
  if (error instanceof TypeError) throw problem(`${path}: the file is not UTF-8 text`, "save it as UTF-8");
  throw problem(`${path}: the file cannot be read`, "give yourself the right to read it");
}

function parseLine(text: string, kind: SettingsFileKind, number: number, place: (key: string) => string): Line | null {
  const bare = text.trim();
  if (bare === "" || bare.startsWith("#")) return null;
  const key = /^([A-Za-z0-9_-]{1,64})\s*=/.exec(bare)?.[1];
  if (key === undefined) throw problem(place("this is no setting"), "write one setting a line, as in: wait = 30");
  const name = settingName(key, kind, place);
  return { name, number, texts: values(bare, key, name, place) };
}

function settingName(key: string, kind: SettingsFileKind, place: (key: string) => string): FlagName {
  if (isFlagName(key) && belongs(key, kind)) return key;
  if (isFlagName(key)) throw problem(`${place(key)}: this cannot be set in this file`, rightPlace(key, kind));
  if (Object.hasOwn(laterFlags, key))
    throw problem(`${place(key)}: this version does not have this setting`, "remove the line");
  const known = Object.keys(flags).filter((name) => isFlagName(name) && belongs(name, kind));
  const meant = nearest(key.toLowerCase().replaceAll("_", "-"), known);
  throw problem(
    `${place(key)}: there is no such setting`,
    meant === null ? `known are ${known.join(", ")}` : `did you mean: ${meant}`,
  );
}

function rightPlace(name: FlagName, kind: SettingsFileKind): string {
  const isServers = kind === "peer" && flags[name].reach === "server";
  return isServers ? "it belongs into server.toml, or on the server's command line" : "give it on the command line";
}

function belongs(name: FlagName, kind: SettingsFileKind): boolean {
  return flags[name].reach === kind || flags[name].reach === "both";
}

function values(line: string, key: string, name: FlagName, place: (key: string) => string): string[] {
  const value = parseValue(line, key, place);
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  if (Array.isArray(value) && !flags[name].many)
    throw problem(`${place(key)}: this takes one value, not a list`, "remove the brackets");
  if (!list.every(isScalar))
    throw problem(`${place(key)}: the value is neither text nor a number nor true or false`, "write one of these");
  const wantsSwitch = flags[name].value === null;
  if (list.some((each) => (typeof each === "boolean") !== wantsSwitch))
    throw problem(
      `${place(key)}: ${wantsSwitch ? "this is true or false" : "this takes a value, not true or false"}`,
      example(name),
    );
  return list.map(String);
}

function parseValue(line: string, key: string, place: (key: string) => string): unknown {
  try {
    return (Bun.TOML.parse(line) as Record<string, unknown>)[key];
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^TOML Parse error: /, "") : "";
    throw problem(
      `${place(key)}: the value cannot be read (${reason.toLowerCase()})`,
      'put text in quotes, as in: out = "/home/ana/in"',
    );
  }
}

function isScalar(value: unknown): boolean {
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}

function example(name: FlagName): string {
  return flags[name].value === null ? `write ${name} = true` : `write ${name} = "${flags[name].value}"`;
}

function problem(message: string, hint: string): UserError {
  return new UserError("config", message, { hint });
}
