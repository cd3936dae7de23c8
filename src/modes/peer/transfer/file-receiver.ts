import { equalBytes } from "../../../wire/bytes.ts";
import { WireError } from "../../../wire/errors.ts";
import { BLOCK_BYTES } from "../../../wire/limits.ts";
import type { TransferBulk } from "../../../wire/messages/transfer.ts";
import type { LeafBuffer } from "../../../wire/tree/leaf-buffer.ts";
import { type Arrived, type FileExpected, Landings } from "./landings.ts";
import type { BulkInput } from "./message-stream.ts";

/**
 * Takes the blocks of one file and its end off the stream. A block is written once its hash is right, and its bytes become credit once
 * they are written; the next ones come in meanwhile.
 * @returns the root of the tree
 * @throws WireError `bad-message` for anything but the next block of the announced size, and for a wrong hash; nothing of it is written
 */
export async function receiveFile(input: BulkInput, file: FileExpected): Promise<Uint8Array> {
  const landings = new Landings(file);
  try {
    for (let at = 0; at < file.bytes; at += BLOCK_BYTES) {
      const buffer = await landings.room();
      landings.add(await file.fate.survive(readBlock(input, file, at, buffer)));
    }
    const end = await file.fate.survive(input.next());
    const root = await landings.root();
    checkEnd(end, file, root);
    input.consumed(input.taken());
    return root;
  } finally {
    await landings.settled();
  }
}

async function readBlock(input: BulkInput, file: FileExpected, at: number, buffer: LeafBuffer): Promise<Arrived> {
  const head = await input.next();
  const [index, bytes] = [at / BLOCK_BYTES, Math.min(BLOCK_BYTES, file.bytes - at)];
  const isNext = head?.kind === "block" && head.entry === file.entry && head.index === index && head.bytes === bytes;
  if (!isNext) throw new WireError("bad-message", "something else came than the next block");
  await input.readInto(buffer.block(bytes));
  const taken = input.taken();
  return { buffer, at, bytes, hash: head.hash, credit: () => input.consumed(taken) };
}

function checkEnd(end: TransferBulk | null, file: FileExpected, root: Uint8Array): void {
  if (end?.kind !== "end" || end.entry !== file.entry || end.bytes !== file.bytes)
    throw new WireError("bad-message", "something else came than the end of the file");
  if (!equalBytes(end.root, root)) throw new WireError("bad-message", "a file does not match its hash");
}
