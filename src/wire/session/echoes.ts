import type { StreamChunk } from "./sent-packets.ts";

/** What is not acknowledged by then goes along once more: late enough that the same full queue does not swallow both. Milliseconds. */
const AFTER_MS = 8;
/** Longer ones are lists or files, and no word that somebody waits for. Bytes. */
const MAX_CHUNK_BYTES = 600;
const MAX_CHUNKS = 32;

interface Said {
  readonly chunk: StreamChunk;
  readonly at: number;
}

/**
 * What control and chat said a moment ago, to be said once more in a packet of bulk. A lost word would wait for a round trip and more,
 * and all behind it too; beside a file a few bytes again cost nothing.
 */
export class Echoes {
  readonly #said: Said[] = [];

  onSent(now: number, chunk: StreamChunk): void {
    if (chunk.length > MAX_CHUNK_BYTES) return;
    this.#said.push({ chunk, at: now });
    if (this.#said.length > MAX_CHUNKS) this.#said.shift();
  }

  /**
   * The oldest that is due, once.
   * @param isWanted not acknowledged yet
   * @param fits into the packet at hand; what does not waits for the next
   */
  take(
    now: number,
    isWanted: (chunk: StreamChunk) => boolean,
    fits: (chunk: StreamChunk) => boolean,
  ): StreamChunk | null {
    for (let first = this.#said[0]; first !== undefined && now >= first.at + AFTER_MS; first = this.#said[0]) {
      const wanted = isWanted(first.chunk);
      if (wanted && !fits(first.chunk)) return null;
      this.#said.shift();
      if (wanted) return first.chunk;
    }
    return null;
  }
}
