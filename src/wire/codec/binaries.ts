import { concat } from "../bytes.ts";
import { WireError } from "../errors.ts";

/** The first of the three heads, by the width of the length behind it. */
export const BIN_8 = 0xc4;
export const BIN_WIDTHS = [1, 2, 4] as const;
/** The lowest length that each may say: a lower one has a shorter form. */
export const BIN_FLOORS = [0, 0x100, 0x1_0000] as const;

const EMPTY = new Uint8Array();

/** `message` as one MessagePack binary, so that a stream of them says where each ends. PROTOCOL.md §9.1. */
export function binaryOf(message: Uint8Array): Uint8Array {
  return concat(headOf(message.length), message);
}

function headOf(length: number): Uint8Array {
  if (length < 0x100) return Uint8Array.of(0xc4, length);
  if (length < 0x1_0000) return Uint8Array.of(0xc5, length >> 8, length & 255);
  return Uint8Array.of(0xc6, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}

/** Cuts a stream of MessagePack binaries into what they hold, however the network cut it. */
export class BinaryReader {
  readonly #maxBytes: number;
  #held: Uint8Array = EMPTY;

  /** @param maxBytes of one binary; a longer one is refused at its head */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Uint8Array): void {
    this.#held = this.#held.length === 0 ? bytes : concat(this.#held, bytes);
  }

  /** @returns the next message; null until it is whole. @throws WireError `bad-message` for what is no binary or too long */
  next(): Uint8Array | null {
    const head = this.#held[0];
    if (head === undefined) return null;
    const [width, floor] = [BIN_WIDTHS[head - BIN_8], BIN_FLOORS[head - BIN_8]];
    if (width === undefined || floor === undefined)
      throw new WireError("bad-message", "a stream of messages holds something else");
    if (this.#held.length < 1 + width) return null;
    const length = this.#held.subarray(1, 1 + width).reduce((sum, byte) => sum * 256 + byte, 0);
    if (length > this.#maxBytes || length < floor) throw new WireError("bad-message", "a message of a bad length");
    const end = 1 + width + length;
    if (this.#held.length < end) return null;
    const message = this.#held.slice(1 + width, end);
    this.#held = this.#held.subarray(end);
    return message;
  }
}
