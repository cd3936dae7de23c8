import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { FileOrStdin } from "./command.ts";
import { UserError } from "./errors.ts";

const MIN_CHARACTERS = 10;
const MAX_CHARACTERS = 256;
const MAX_LINE_BYTES = 4_096;
const LINE_FEED = 10;

/**
 * The password in the first line of a file or of stdin, its line end removed.
 * @throws UserError `file-not-found`, `file-unreadable`, or `weak-password` when it has not 10 to 256 characters
 */
export async function readPasswordFile(source: FileOrStdin, stdin: Readable): Promise<string> {
  const bytes = source === "-" ? await firstLine(stdin) : await readFirstLine(source);
  const text = decode(bytes, source).replace(/\r$/, "");
  const problem = problemWithPassword(text);
  if (problem !== null) throw new UserError("weak-password", problem);
  return text.normalize("NFC");
}

/** The lengths every password has; the server looks closer at a new one. @returns null when there is nothing to say */
export function problemWithPassword(password: string): string | null {
  const characters = Array.from(password.normalize("NFC")).length;
  if (!password.isWellFormed()) return "the password is no text: half of a character is missing";
  if (characters < MIN_CHARACTERS) return `the password has fewer than ${MIN_CHARACTERS} characters`;
  return characters > MAX_CHARACTERS ? `the password has more than ${MAX_CHARACTERS} characters` : null;
}

async function readFirstLine(file: string): Promise<Uint8Array> {
  try {
    await using handle = await open(file, "r");
    const { buffer, bytesRead } = await handle.read(new Uint8Array(MAX_LINE_BYTES), 0, MAX_LINE_BYTES, 0);
    return upToLineEnd(buffer.subarray(0, bytesRead));
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (missing) throw new UserError("file-not-found", `cannot read the password: there is no file ${file}`);
    throw new UserError("file-unreadable", `cannot read the password from ${file}`, { cause: error });
  }
}

/** Leaves the stream at its end or wherever the line ended: nothing else is read from it. */
async function firstLine(stdin: Readable): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stdin as AsyncIterable<string | Uint8Array>) {
    const bytes = typeof part === "string" ? new TextEncoder().encode(part) : part;
    parts.push(bytes);
    length += bytes.length;
    if (bytes.includes(LINE_FEED) || length > MAX_LINE_BYTES) break;
  }
  return upToLineEnd(new Uint8Array(Buffer.concat(parts)));
}

function upToLineEnd(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(LINE_FEED);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function decode(bytes: Uint8Array, source: FileOrStdin): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    const where = source === "-" ? "stdin" : source;
    throw new UserError("file-unreadable", `cannot read the password: ${where} is not UTF-8 text`, { cause: error });
  }
}
