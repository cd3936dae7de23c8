import { PagedBytes, PagePool } from "./paged-bytes.ts";
import { RangeSet } from "./range-set.ts";
import type { StreamChunk } from "./sent-packets.ts";

/**
 * What one end says on a stream: written, sent, lost, sent again, acknowledged. Offsets are bytes from the start of the stream.
 * Memory holds what is written and not yet acknowledged, and the caller bounds that.
 */
export class SendStream {
  readonly id: number;
  readonly #held: PagedBytes;
  readonly #acked = new RangeSet();
  readonly #lost = new RangeSet();
  /** Everything before it is acknowledged. */
  #base = 0;
  #sentEnd = 0;
  #writtenEnd = 0;
  #creditEnd: number;
  #fin: "open" | "written" | "sent" | "lost" | "acked" = "open";
  #resetCode: number | null = null;
  #isResetAcked = false;

  constructor(id: number, creditBytes: number, pool: PagePool = new PagePool()) {
    this.id = id;
    this.#held = new PagedBytes(pool);
    this.#creditEnd = creditBytes;
  }

  /** Takes no more bytes: finished or reset. */
  get isClosed(): boolean {
    return this.#fin !== "open" || this.#resetCode !== null;
  }

  /** Nothing is left to do. */
  get isDone(): boolean {
    return this.#resetCode === null ? this.#fin === "acked" && this.bufferedBytes === 0 : this.#isResetAcked;
  }

  get isReset(): boolean {
    return this.#resetCode !== null;
  }

  /** Written and not yet acknowledged. */
  get bufferedBytes(): number {
    return this.#resetCode === null ? this.#writtenEnd - this.#base : 0;
  }

  /** All that was ever sent, once each: what flow control counts. */
  get sentEnd(): number {
    return this.#sentEnd;
  }

  get isAllAcked(): boolean {
    return this.bufferedBytes === 0 && (this.#fin === "open" || this.#fin === "acked");
  }

  write(bytes: Uint8Array): void {
    this.#held.write(this.#writtenEnd, bytes);
    this.#writtenEnd += bytes.length;
  }

  finish(): void {
    if (this.#fin === "open") this.#fin = "written";
  }

  reset(code: number): void {
    this.#resetCode = code;
    this.#held.clear();
    this.#lost.clear();
  }

  onResetAcked(): void {
    this.#isResetAcked = true;
  }

  /** Credit never shrinks. */
  raiseCredit(end: number): void {
    this.#creditEnd = Math.max(this.#creditEnd, end);
  }

  /** Written, and never sent yet. */
  get hasUnsent(): boolean {
    return this.#resetCode === null && this.#writtenEnd > this.#sentEnd;
  }

  /** Something to send again, or new within both credits. */
  hasPending(newBytesAllowed: number): boolean {
    if (this.#resetCode !== null) return false;
    return this.#lost.count > 0 || this.#newBytes(newBytesAllowed) > 0 || this.#isFinDue;
  }

  /**
   * The next chunk of at most `maxBytes`: lost ones first. `newBytesAllowed` bounds what was never sent before.
   * @returns null when there is nothing to send
   */
  nextChunk(maxBytes: number, newBytesAllowed: number): StreamChunk | null {
    if (this.#resetCode !== null) return null;
    if (this.#lost.count > 0) return this.#takeLost(maxBytes);
    const length = Math.min(maxBytes, this.#newBytes(newBytesAllowed)) | 0;
    if (length === 0 && !this.#isFinDue) return null;
    const offset = this.#sentEnd;
    this.#sentEnd += length;
    return this.#chunk(offset, length);
  }

  copyTo(chunk: StreamChunk, out: Uint8Array, at: number): void {
    this.#held.copyTo(chunk.offset, chunk.length, out, at);
  }

  /** Still wanted: not acknowledged meanwhile by another packet. */
  isWanted(chunk: StreamChunk): boolean {
    if (this.#resetCode !== null || chunk.offset < this.#base) return false;
    return (chunk.fin && this.#fin !== "acked") || !this.#acked.missing(chunk.offset, end(chunk)).next().done;
  }

  onAcked(chunk: StreamChunk): void {
    if (this.#resetCode !== null) return;
    if (chunk.fin) this.#fin = "acked";
    const from = Math.max(chunk.offset, this.#base);
    if (this.#lost.count > 0) this.#lost.remove(from, end(chunk));
    if (from === this.#base && this.#acked.count === 0) this.#base = Math.max(this.#base, end(chunk));
    else {
      this.#acked.add(from, end(chunk));
      if (this.#acked.startAt(0) > this.#base) return;
      this.#base = this.#acked.endAt(0);
      this.#acked.remove(0, this.#base);
    }
    this.#held.releaseBefore(this.#base);
  }

  /** Whatever of the chunk is not acknowledged goes out again. */
  onLost(chunk: StreamChunk): void {
    if (this.#resetCode !== null) return;
    if (chunk.fin && this.#fin === "sent") this.#fin = "lost";
    for (const [from, to] of this.#acked.missing(Math.max(chunk.offset, this.#base), end(chunk)))
      this.#lost.add(from, to);
  }

  get #isFinDue(): boolean {
    return (this.#fin === "written" || this.#fin === "lost") && this.#sentEnd === this.#writtenEnd;
  }

  #newBytes(allowed: number): number {
    return Math.max(0, Math.min(this.#writtenEnd, this.#creditEnd, this.#sentEnd + allowed) - this.#sentEnd);
  }

  #takeLost(maxBytes: number): StreamChunk {
    const offset = this.#lost.startAt(0);
    const length = Math.min(maxBytes, this.#lost.endAt(0) - offset) | 0;
    this.#lost.remove(offset, offset + length);
    return this.#chunk(offset, length);
  }

  #chunk(offset: number, length: number): StreamChunk {
    const fin = offset + length === this.#writtenEnd && this.#fin !== "open";
    if (fin && this.#fin !== "acked") this.#fin = "sent";
    return { stream: this.id, offset, length, fin };
  }
}

function end(chunk: StreamChunk): number {
  return chunk.offset + chunk.length;
}
