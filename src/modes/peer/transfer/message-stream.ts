import { copyBytes } from "../../../wire/bytes.ts";
import { BIN_8, BIN_FLOORS, BIN_WIDTHS, binaryOf } from "../../../wire/codec/binaries.ts";
import { WireError } from "../../../wire/errors.ts";
import { transferBulk, type TransferBulk } from "../../../wire/messages/transfer.ts";
import type { ByteReader } from "../peer-session.ts";

// PROTOCOL.md §9.5: messages on a bulk stream are MessagePack binaries in their shortest form, each holding one message.

/** A longer one is refused before a byte of it is kept. */
const MAX_MESSAGE_BYTES = 262_144;

export function framed(message: TransferBulk): Uint8Array {
  return binaryOf(transferBulk.encode(message));
}

/** Takes messages, and raw bytes between them, off a bulk stream. */
export class BulkInput {
  readonly #reader: ByteReader;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;
  #takenBytes = 0;
  #message: Uint8Array = new Uint8Array(0);

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** @returns null at the end of the stream. @throws WireError `bad-message`, also when the stream ends within one; UserError as the reader does */
  async next(): Promise<TransferBulk | null> {
    const kind = new Uint8Array(1);
    if ((await this.#read(kind)) === 0) return null;
    const size = (kind[0] ?? 0) - BIN_8;
    const width = BIN_WIDTHS[size];
    if (width === undefined) throw new WireError("bad-message", "a bulk stream holds something else than messages");
    const message = new Uint8Array(await this.#length(width, BIN_FLOORS[size] ?? 0));
    await this.readInto(message);
    this.#message = message;
    return transferBulk.decode(message);
  }

  /** What {@link next} decoded last, to be kept as it came. */
  get message(): Uint8Array {
    return this.#message;
  }

  /** Puts the raw bytes that follow into all of `target`. @throws WireError `bad-message` when the stream ends before */
  async readInto(target: Uint8Array): Promise<void> {
    if ((await this.#read(target)) < target.length) throw new WireError("bad-message", "a bulk stream was cut short");
  }

  /** How much was taken since this was asked last: what is to be {@link consumed} when it is where it belongs. */
  taken(): number {
    const bytes = this.#takenBytes;
    this.#takenBytes = 0;
    return bytes;
  }

  consumed(bytes: number): void {
    this.#reader.consumed(bytes);
  }

  stop(code: Parameters<ByteReader["stop"]>[0]): void {
    this.#reader.stop(code);
  }

  async #length(width: number, floor: number): Promise<number> {
    const head = new Uint8Array(width);
    await this.readInto(head);
    const length = head.reduce((value, byte) => value * 256 + byte, 0);
    if (length < floor || length > MAX_MESSAGE_BYTES) throw new WireError("bad-message", "a message of a bad length");
    return length;
  }

  /** @returns less than the length of `target` only at the end of the stream */
  async #read(target: Uint8Array): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#at === this.#piece.length && !(await this.#nextPiece())) break;
      const bytes = Math.min(this.#piece.length - this.#at, target.length - filled);
      copyBytes(this.#piece, this.#at, this.#at + bytes, target, filled);
      filled += bytes;
      this.#at += bytes;
    }
    this.#takenBytes += filled;
    return filled;
  }

  async #nextPiece(): Promise<boolean> {
    const piece = await this.#reader.read();
    this.#piece = piece ?? new Uint8Array(0);
    this.#at = 0;
    return piece !== null;
  }
}
