import { constants, type FileHandle, open, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { MAX_TRANSFER_ENTRIES } from "../../../wire/limits.ts";
import type { TransferEntry } from "../../../wire/messages/transfer.ts";
import { UserError } from "../../cli/errors.ts";
import { readFailure, writeFailure } from "./failure.ts";
import { startOf } from "./local-name.ts";
import { MAX_FILE_BYTES, MAX_NAME_BYTES } from "./offer.ts";
import { openPrivateFile, type PrivateFile, readFully, writeFully } from "./private-file.ts";

/** A file of this disk that is to be sent, as it was when it was looked at. */
export interface LocalFile {
  /** Absolute. */
  readonly path: string;
  /** What it is offered as. */
  readonly name: string;
  readonly bytes: number;
  /** Which file, and in which state. */
  readonly stamp: string;
}

/** Checked files, ready to be sent to any number of people. Dispose it when all are served. */
export interface Shipment extends AsyncDisposable {
  readonly files: readonly LocalFile[];
  readonly bytes: number;
}

/** Stdin, named `-` among the paths. */
export interface StdinFile {
  readonly name: string;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** A FIFO that took the place of a file must not hold us. Windows has neither the flag nor the FIFO. */
const READ: number = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** What to do with what comes out of something that is no file of a known length. */
const PIPE_IT = "pipe it: `… | p2p send - --as NAME @NAME`";

/**
 * Looks at every file before anybody is asked. A link is followed, since the person named it; stdin is kept in a private file.
 * @param paths as typed, `-` for stdin
 * @throws UserError `file-not-found`, `file-unreadable`, `too-large`, or `usage` for a folder
 */
export async function prepare(paths: readonly string[], stdin: StdinFile | null = null): Promise<Shipment> {
  const spools: PrivateFile[] = [];
  const dispose = async () => {
    for (const spool of spools) await spool[Symbol.asyncDispose]();
  };
  try {
    const files: LocalFile[] = [];
    for (const path of paths) files.push(path === "-" ? await spooled(stdin, spools) : await looked(path));
    return { files, bytes: checkedSum(files), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

export function entryOf(file: LocalFile): TransferEntry {
  return { path: [file.name], kind: "file", bytes: file.bytes };
}

/** @throws UserError `file-changed` when it is not what was looked at, `file-unreadable` */
export async function reopen(file: LocalFile): Promise<FileHandle> {
  const handle = await open(file.path, READ).catch((error: unknown) => {
    throw changed(file, error);
  });
  try {
    await checkUnchanged(file, handle);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @throws UserError `file-changed` */
export async function checkUnchanged(file: LocalFile, handle: FileHandle): Promise<void> {
  if ((await stampOf(handle)) !== file.stamp) throw changed(file);
}

export function changed(file: LocalFile, cause?: unknown): UserError {
  return new UserError("file-changed", `cannot send ${file.path}: it changed since it was offered`, { cause });
}

async function looked(path: string): Promise<LocalFile> {
  try {
    await checkKind(path);
    const handle = await open(path, READ);
    try {
      return await described(resolve(path), basename(resolve(path)), handle);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readFailure(`cannot send ${path}`, error);
  }
}

/** Before it is opened, because opening alone does something to a device. */
async function checkKind(path: string): Promise<void> {
  const found = await stat(path);
  if (found.isFile()) return;
  if (!found.isDirectory()) throw unreadable(path, "it is a device, pipe or socket and no file", PIPE_IT);
  const hint = "name the files in it";
  throw new UserError("usage", `cannot send ${path}: it is a folder`, { hint });
}

async function described(path: string, name: string, handle: FileHandle): Promise<LocalFile> {
  const found = await handle.stat();
  if (!found.isFile()) throw unreadable(path, "it is no file any more");
  if (found.size > MAX_FILE_BYTES) throw new UserError("too-large", `cannot send ${path}: it has over 4 PiB`);
  if (found.size === 0 && (await readFully(handle, new Uint8Array(1), 0)) > 0)
    throw unreadable(path, "the system makes it up while it is read", PIPE_IT);
  return { path, name: wireName(name), bytes: found.size, stamp: await stampOf(handle) };
}

async function spooled(stdin: StdinFile | null, spools: PrivateFile[]): Promise<LocalFile> {
  if (stdin === null || spools.length > 0)
    throw new UserError("usage", "cannot send stdin: it needs a name, once", { hint: "add --as NAME" });
  const spool = await openPrivateFile();
  spools.push(spool);
  try {
    let bytes = 0;
    for await (const piece of stdin.stream) {
      await writeFully(spool.handle, piece, bytes);
      bytes += piece.length;
    }
  } catch (error) {
    throw writeFailure("cannot keep stdin until it is sent", error);
  }
  return described(spool.path, stdin.name, spool.handle);
}

/** What was renamed over, written to or cut has another one. */
async function stampOf(handle: FileHandle): Promise<string> {
  const { dev, ino, size, mtimeNs } = await handle.stat({ bigint: true });
  return `${dev}:${ino}:${size}:${mtimeNs}`;
}

function wireName(name: string): string {
  return startOf(name.toWellFormed(), MAX_NAME_BYTES);
}

function checkedSum(files: readonly LocalFile[]): number {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (files.length > MAX_TRANSFER_ENTRIES || !Number.isSafeInteger(bytes))
    throw new UserError("too-large", "cannot send the files: they are too many for one offer");
  return bytes;
}

function unreadable(path: string, why: string, hint?: string): UserError {
  return new UserError("file-unreadable", `cannot send ${path}: ${why}`, { ...(hint !== undefined && { hint }) });
}
