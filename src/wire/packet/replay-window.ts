import { REPLAY_WINDOW_PACKETS } from "../limits.ts";

const BLOCK_BITS = 32;
/** One more than the window fills, so that the newest block can be cleared whole while the oldest is still in use. */
const BLOCKS = REPLAY_WINDOW_PACKETS / BLOCK_BITS + 1;

/**
 * RFC 6479: which of a path's last 32 768 packet numbers have come, as a ring of bit blocks that is cleared block by block as the
 * newest number moves on. Ask before opening a packet, mark only after: a forged number must not move the window.
 */
export class ReplayWindow {
  readonly #blocks = new Uint32Array(BLOCKS);
  #highest = -1;

  /** False for what has come and for what is too old to know. */
  isFresh(packetNumber: number): boolean {
    if (packetNumber > this.#highest) return true;
    if (packetNumber <= this.#highest - REPLAY_WINDOW_PACKETS) return false;
    return ((this.#blocks[ringIndex(packetNumber)] ?? 0) & bitOf(packetNumber)) === 0;
  }

  /** Only for a number that is fresh. */
  mark(packetNumber: number): void {
    if (packetNumber > this.#highest) this.#advance(packetNumber);
    const index = ringIndex(packetNumber);
    this.#blocks[index] = (this.#blocks[index] ?? 0) | bitOf(packetNumber);
  }

  #advance(packetNumber: number): void {
    const passed = blockOf(packetNumber) - blockOf(this.#highest);
    if (passed >= BLOCKS) this.#blocks.fill(0);
    else for (let step = 0; step < passed; step++) this.#blocks[ringIndex(packetNumber - step * BLOCK_BITS)] = 0;
    this.#highest = packetNumber;
  }
}

/** Numbers have 48 bits, so no shifting here. */
function blockOf(packetNumber: number): number {
  return Math.floor(packetNumber / BLOCK_BITS);
}

function ringIndex(packetNumber: number): number {
  return blockOf(packetNumber) % BLOCKS;
}

function bitOf(packetNumber: number): number {
  return 1 << (packetNumber % BLOCK_BITS);
}
