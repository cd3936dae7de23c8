import { WireError } from "../errors.ts";
import { PagedBytes, type PagePool } from "./paged-bytes.ts";
import { RangeSet } from "./range-set.ts";

/** An honest sender leaves about one hole per lost packet of its window; more is an attempt on our memory. */
const MAX_HOLES = 16_384;

/** What the other end says on a stream, put back in order. Offsets are bytes from the start of the stream. */
export class ReceiveStream {
  readonly #held: PagedBytes;
  /** What was read stays as it is for good. */
  readonly #isShared: boolean;
  readonly #received = new RangeSet();
  #highest = 0;
  #readEnd = 0;
  #consumed = 0;
  #creditEnd: number;
  #finalBytes: number | null = null;
  #state: "open" | "stopped" | "reset" = "open";

  /** @param windowBytes of credit at first. @param pool of memory; null where what {@link read} gave stays as it is for good, and not only until it is consumed */
  constructor(windowBytes: number, pool: PagePool | null = null) {
    this.#isShared = pool === null;
    this.#held = new PagedBytes(pool);
    this.#creditEnd = windowBytes;
  }

  /** The offset up to which the other end may send. */
  get creditEnd(): number {
    return this.#creditEnd;
  }

  /** Received and not yet given back as credit. */
  get unconsumedBytes(): number {
    return this.#highest - this.#consumed;
  }

  /** Bytes wait to be read. */
  get isReadable(): boolean {
    return (
      this.#state === "open" && this.#received.startAt(0) <= this.#readEnd && this.#received.endAt(0) > this.#readEnd
    );
  }

  /** All there ever will be has been read, or is not wanted. */
  get isDone(): boolean {
    if (this.#state === "reset") return true;
    const complete = this.#state === "stopped" ? this.#highest : this.#readEnd;
    return this.#finalBytes !== null && complete === this.#finalBytes;
  }

  /** Done, and all credit is given back. */
  get isSettled(): boolean {
    return this.isDone && this.unconsumedBytes === 0;
  }

  get isStopped(): boolean {
    return this.#state !== "open";
  }

  /** Nothing more is to come: neither bytes nor credit are of use to the other end. */
  get isComplete(): boolean {
    return this.#finalBytes !== null;
  }

  /**
   * @param from where in `data` the bytes lie, up to `to`
   * @returns how far the highest offset moved, for the credit of the session
   * @throws WireError beyond the credit, past or before the stated end, or with too many holes
   */
  onData(offset: number, data: Uint8Array, fin: boolean, from = 0, to: number = data.length): number {
    const end = offset + to - from;
    if (end > this.#creditEnd) throw new WireError("protocol-error", "more bytes than the stream has credit for");
    if (fin) this.#setFinal(end);
    this.#refuseBeyondFinal(end);
    const grown = Math.max(0, end - this.#highest);
    this.#highest += grown;
    if (this.#state === "open" && end > this.#readEnd) this.#keep(offset, data, from, to);
    return grown;
  }

  /** The other end gave up. @returns as {@link onData} */
  onReset(finalBytes: number): number {
    if (finalBytes > this.#creditEnd) throw new WireError("protocol-error", "a stream that ends beyond its credit");
    this.#setFinal(finalBytes);
    this.#drop("reset");
    const grown = finalBytes - this.#highest;
    this.#highest = finalBytes;
    return grown;
  }

  /** We give up: what still comes is counted and dropped. */
  stop(): void {
    if (this.#state === "open") this.#drop("stopped");
  }

  /** @returns the next bytes in order, as many as lie in one piece; null when there are none */
  read(): Uint8Array | null {
    if (!this.isReadable) return null;
    const bytes = this.#held.view(this.#readEnd, this.#received.endAt(0) - this.#readEnd);
    this.#readEnd += bytes.length;
    this.#received.remove(0, this.#readEnd);
    if (this.#isShared) this.#held.releaseBefore(this.#readEnd);
    return bytes;
  }

  /** @returns how much of it counts: never more than there was */
  consume(bytes: number): number {
    const limit = this.#state === "open" ? this.#readEnd : this.#highest;
    const counted = Math.max(0, Math.min(bytes, limit - this.#consumed));
    this.#consumed += counted;
    if (!this.#isShared) this.#held.releaseBefore(this.#consumed);
    return counted;
  }

  /**
   * @param windowBytes of credit ahead of what is consumed, by now
   * @returns true when the other end should be told of more
   */
  raiseCredit(windowBytes: number): boolean {
    const end = this.#consumed + windowBytes;
    if (this.isComplete || end - this.#creditEnd < windowBytes / 4) return false;
    this.#creditEnd = end;
    return true;
  }

  #keep(offset: number, data: Uint8Array, from: number, to: number): void {
    const [first, end] = [Math.max(offset, this.#readEnd), offset + to - from];
    // What is already there stays: the caller may hold a view of it.
    if (first === offset && this.#received.isBefore(first)) this.#held.write(offset, data, from, to);
    else
      for (const [start, stop] of this.#received.missing(first, end))
        this.#held.write(start, data, from + start - offset, from + stop - offset);
    this.#received.add(first, end);
    if (this.#received.count > MAX_HOLES) throw new WireError("protocol-error", "too many holes in a stream");
  }

  #setFinal(finalBytes: number): void {
    if (finalBytes < this.#highest || (this.#finalBytes ?? finalBytes) !== finalBytes)
      throw new WireError("protocol-error", "a stream with two ends");
    this.#finalBytes = finalBytes;
  }

  #refuseBeyondFinal(end: number): void {
    if (this.#finalBytes !== null && end > this.#finalBytes)
      throw new WireError("protocol-error", "bytes behind the end of a stream");
  }

  #drop(state: "stopped" | "reset"): void {
    this.#state = state;
    this.#held.clear();
    this.#received.clear();
  }
}
