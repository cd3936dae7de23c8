import { equalBytes } from "../../../wire/bytes.ts";
import { WireError } from "../../../wire/errors.ts";
import { BLOCK_BYTES } from "../../../wire/limits.ts";
import { RootBuilder } from "../../../wire/tree/block-tree.ts";
import { LeafBuffer } from "../../../wire/tree/leaf-buffer.ts";
import type { Fate } from "./fate.ts";
import type { ReceivingLimit } from "./limit.ts";
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

/** A block that came whole. */
export interface Arrived {
  /** Holds it, and nothing else until it is on the disk. */
  readonly buffer: LeafBuffer;
  /** Where in the file it belongs, and how much of it there is. */
  readonly at: number;
  readonly bytes: number;
  /** What the other end says its leaf is. */
  readonly hash: Uint8Array;
  /** Called when it is on the disk. */
  readonly credit: () => void;
}

interface Landing {
  readonly buffer: LeafBuffer;
  /** The hash is known to be right. */
  readonly checked: Promise<void>;
  readonly written: Promise<void>;
}

/** One comes in, one is hashed, one is written. */
const BLOCKS_AT_HAND = 3;

/**
 * The blocks of one file on their way to the disk: hashed as soon as they are here, beside the loop, and written in order. A wrong hash
 * ends the transfer, and neither its block nor any behind it is written.
 */
export class Landings {
  readonly #file: FileExpected;
  readonly #tree = new RootBuilder();
  /** Oldest first. */
  readonly #landings: Landing[] = [];

  constructor(file: FileExpected) {
    this.#file = file;
  }

  /** Where the next block may come in, once there is room. @throws what became of the block that was there */
  async room(): Promise<LeafBuffer> {
    const oldest = this.#landings.length < BLOCKS_AT_HAND ? undefined : this.#landings.shift();
    if (oldest === undefined) return new LeafBuffer(Math.min(BLOCK_BYTES, this.#file.bytes));
    await this.#landed(oldest);
    return oldest.buffer;
  }

  add(block: Arrived): void {
    const { fate } = this.#file;
    const checked = fate.survive(check(block));
    const written = this.#write(block, checked, this.#landings.at(-1)?.written);
    written.catch((error: unknown) => fate.fail(error));
    this.#landings.push({ buffer: block.buffer, checked, written });
  }

  /** Of the whole file, once all of it is on the disk. @throws what became of the first block that is not */
  async root(): Promise<Uint8Array> {
    for (const landing of this.#landings) await this.#landed(landing);
    return this.#tree.root();
  }

  /** Resolves when nothing is being written any more, whatever became of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#landings.map(({ written }) => written));
  }

  async #write(block: Arrived, checked: Promise<void>, before: Promise<void> | undefined): Promise<void> {
    await checked;
    await before;
    this.#tree.add(block.hash);
    await this.#file.partial.write(block.buffer.block(block.bytes), block.at);
    block.credit();
    this.#file.onWritten(block.bytes);
  }

  /** Only what comes after the hash is the disk's doing. */
  async #landed({ checked, written }: Landing): Promise<void> {
    await checked;
    await this.#file.limit.disk(written);
  }
}

async function check({ buffer, bytes, hash }: Arrived): Promise<void> {
  if (!equalBytes(await buffer.hash(bytes), hash))
    throw new WireError("bad-message", "a block does not match its hash");
}
