import type { FileHandle } from "node:fs/promises";
import { BLOCK_BYTES } from "../../../wire/limits.ts";
import { readFailure } from "./failure.ts";
import { changed, checkUnchanged, type LocalFile, reopen } from "./prepare.ts";
import { readFully } from "./private-file.ts";

/**
 * The blocks of a file in order; the next is read while one is used, so each holds until the one after it is asked for.
 * @throws UserError `file-changed` when the file is not, or does not stay, what was offered; `file-unreadable`
 */
export async function* readBlocks(file: LocalFile): AsyncGenerator<Uint8Array> {
  const handle = await reopen(file);
  const buffers = [0, 1].map(() => new Uint8Array(Math.min(BLOCK_BYTES, file.bytes)));
  let ahead: Promise<Uint8Array> | null = null;
  try {
    for (let at = 0; at < file.bytes; at += BLOCK_BYTES) {
      const block: Uint8Array = await (ahead ?? readBlock(file, handle, buffers, at));
      ahead = at + BLOCK_BYTES < file.bytes ? readBlock(file, handle, buffers, at + BLOCK_BYTES) : null;
      ahead?.catch(() => undefined); // told where it is awaited
      yield block;
    }
    await checkEnd(file, handle);
  } finally {
    await ahead?.catch(() => undefined);
    await handle.close();
  }
}

async function readBlock(
  file: LocalFile,
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  at: number,
): Promise<Uint8Array> {
  const buffer = buffers[(at / BLOCK_BYTES) % 2]?.subarray(0, file.bytes - at) ?? new Uint8Array(0);
  const found = await reading(file, readFully(handle, buffer, at));
  if (found < buffer.length) throw changed(file);
  return buffer;
}

async function checkEnd(file: LocalFile, handle: FileHandle): Promise<void> {
  if ((await reading(file, readFully(handle, new Uint8Array(1), file.bytes))) > 0) throw changed(file);
  await checkUnchanged(file, handle);
}

function reading<T>(file: LocalFile, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw readFailure(`cannot send ${file.path}`, error);
  });
}
