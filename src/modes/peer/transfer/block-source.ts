import type { FileHandle } from "node:fs/promises";
import { BLOCK_BYTES } from "../../../wire/limits.ts";
import { LeafBuffer } from "../../../wire/tree/leaf-buffer.ts";
import { readFailure } from "./failure.ts";
import { changed, checkUnchanged, type LocalFile, reopen } from "./prepare.ts";
import { readFully } from "./private-file.ts";

/** One of a file, and its leaf of the tree. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

interface HeldBlock extends Block {
  readonly buffer: LeafBuffer;
}

/** While one is used, this many behind it are read and hashed. */
const BLOCKS_AHEAD = 2;

/**
 * The blocks of a file in order, each holding until the one after it is asked for.
 * @throws UserError `file-changed` when the file is not, or does not stay, what was offered; `file-unreadable`
 */
export async function* readBlocks(file: LocalFile): AsyncGenerator<Block> {
  const handle = await reopen(file);
  const ahead: Promise<HeldBlock>[] = [];
  const spare: LeafBuffer[] = [];
  let at = 0;
  try {
    for (;;) {
      for (; ahead.length <= BLOCKS_AHEAD && at < file.bytes; at += BLOCK_BYTES)
        ahead.push(begin(file, handle, spare.pop() ?? bufferFor(file), at));
      const block = await ahead.shift();
      if (block === undefined) break;
      yield block;
      spare.push(block.buffer);
    }
    await checkEnd(file, handle);
  } finally {
    await Promise.allSettled(ahead);
    await handle.close();
  }
}

/** A short file takes little memory. */
function bufferFor(file: LocalFile): LeafBuffer {
  return new LeafBuffer(Math.min(BLOCK_BYTES, file.bytes));
}

function begin(file: LocalFile, handle: FileHandle, buffer: LeafBuffer, at: number): Promise<HeldBlock> {
  const reading = readBlock(file, handle, buffer, at);
  reading.catch(() => undefined); // told where it is awaited
  return reading;
}

async function readBlock(file: LocalFile, handle: FileHandle, buffer: LeafBuffer, at: number): Promise<HeldBlock> {
  const bytes = buffer.block(Math.min(BLOCK_BYTES, file.bytes - at));
  const found = await reading(file, readFully(handle, bytes, at));
  if (found < bytes.length) throw changed(file);
  return { bytes, hash: await buffer.hash(bytes.length), buffer };
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
