import { equalBytes } from "../../../wire/bytes.ts";
import { WireError } from "../../../wire/errors.ts";
import { BLOCK_BYTES } from "../../../wire/limits.ts";
import type { TransferBulk } from "../../../wire/messages/transfer.ts";
import { leafHash, RootBuilder } from "../../../wire/tree/block-tree.ts";
import type { Fate } from "./fate.ts";
import type { ReceivingLimit } from "./limit.ts";
import type { BulkInput } from "./message-stream.ts";
import type { PartialFile } from "./partial-file.ts";

/** Which file is expected, and where it goes. */
export interface FileExpected {
  readonly entry: number;
  readonly bytes: number;
  readonly partial: PartialFile;
  /** Whoever waits for the other end gives up with it. */
  readonly fate: Fate;
  /** Hears how long the disk keeps all else waiting. */
  readonly limit: ReceivingLimit;
  /** For each block that is on the disk. */
  onWritten(bytes: number): void;
}

/**
 * Takes the blocks of one file and its end off the stream. A block is written once its hash is right, and its bytes become credit once
 * they are written; the next block comes in meanwhile.
 * @returns the root of the tree
 * @throws WireError `bad-message` for anything but the next block of the announced size, and for a wrong hash; nothing of it is written
 */
export async function receiveFile(input: BulkInput, file: FileExpected): Promise<Uint8Array> {
  const tree = new RootBuilder();
  const buffers = [0, 1].map(() => new Uint8Array(Math.min(BLOCK_BYTES, file.bytes)));
  let writing: Promise<void> = Promise.resolve();
  try {
    for (let at = 0; at < file.bytes; at += BLOCK_BYTES) {
      const index = at / BLOCK_BYTES;
      const block = buffers[index % 2]?.subarray(0, file.bytes - at) ?? new Uint8Array(0);
      tree.add(await file.fate.survive(readBlock(input, file.entry, index, block)));
      await file.limit.disk(writing);
      writing = write(input, file, block, at);
      writing.catch((error: unknown) => file.fate.fail(error));
    }
    const root = tree.root();
    checkEnd(await file.fate.survive(input.next()), file, root);
    input.consumed(input.taken());
    await file.limit.disk(writing);
    return root;
  } finally {
    await writing.catch(() => undefined);
  }
}

async function readBlock(input: BulkInput, entry: number, index: number, block: Uint8Array): Promise<Uint8Array> {
  const head = await input.next();
  const isNext = head?.kind === "block" && head.entry === entry && head.index === index && head.bytes === block.length;
  if (!isNext) throw new WireError("bad-message", "something else came than the next block");
  await input.readInto(block);
  const hash = leafHash(block);
  if (!equalBytes(hash, head.hash)) throw new WireError("bad-message", "a block does not match its hash");
  return hash;
}

async function write(input: BulkInput, file: FileExpected, block: Uint8Array, at: number): Promise<void> {
  const bytes = input.taken();
  await file.partial.write(block, at);
  input.consumed(bytes);
  file.onWritten(block.length);
}

function checkEnd(end: TransferBulk | null, file: FileExpected, root: Uint8Array): void {
  if (end?.kind !== "end" || end.entry !== file.entry || end.bytes !== file.bytes)
    throw new WireError("bad-message", "something else came than the end of the file");
  if (!equalBytes(end.root, root)) throw new WireError("bad-message", "a file does not match its hash");
}
