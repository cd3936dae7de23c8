import { fromHex } from "../../wire/bytes.ts";

/** Reading JSON from a disk field by field, into fresh objects: a file may be damaged, or written by somebody else's program. */
export class Damaged extends Error {
  constructor(what: string) {
    super(what);
    this.name = "Damaged";
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws Damaged unless `bytes` are UTF-8 JSON with an object at the top */
export function parseObject(bytes: Uint8Array): JsonObject {
  try {
    return asObject(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "the file");
  } catch (error) {
    if (error instanceof Damaged) throw error;
    throw new Damaged("it is no JSON");
  }
}

export function formatJson(value: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Damaged(`${what} is no object`);
  return value as JsonObject;
}

export function asList(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Damaged(`${what} is no list`);
  return value;
}

export function asText(value: unknown, what: string): string {
  if (typeof value !== "string") throw new Damaged(`${what} is no text`);
  return value;
}

export function asFlag(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") throw new Damaged(`${what} is neither true nor false`);
  return value;
}

/** Hex digits. @param length in bytes; null: any */
export function asBytes(value: unknown, length: number | null, what: string): Uint8Array {
  const bytes = fromHex(asText(value, what));
  if (bytes === null || (length !== null && bytes.length !== length))
    throw new Damaged(`${what} has not the right form`);
  return bytes;
}

export function asOneOf<const T extends string>(value: unknown, choices: readonly T[], what: string): T {
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw new Damaged(`${what} is none of ${choices.join(", ")}`);
  return choice;
}
