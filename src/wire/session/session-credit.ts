import { WireError } from "../errors.ts";
import type { TunedWindow } from "./tuned-window.ts";

/** The credit that all bulk streams share, both ways. Counts bytes over all streams, each once. */
export class SessionCredit {
  readonly #window: TunedWindow;
  #sent = 0;
  #sendEnd: number;
  #received = 0;
  #consumed = 0;
  /** What the other end was told it may send in all. */
  receiveEnd: number;
  /** The other end is to be told. */
  isDue = false;

  constructor(window: TunedWindow) {
    this.#window = window;
    this.#sendEnd = this.receiveEnd = window.bytes;
  }

  get sendableBytes(): number {
    return this.#sendEnd - this.#sent;
  }

  onSent(newBytes: number): void {
    this.#sent += newBytes;
  }

  /** Credit never shrinks. */
  raise(end: number): void {
    this.#sendEnd = Math.max(this.#sendEnd, end);
  }

  /** @throws WireError beyond the credit */
  onReceived(newBytes: number): void {
    this.#received += newBytes;
    if (this.#received > this.receiveEnd)
      throw new WireError("protocol-error", "more bytes than the session has credit for");
  }

  onConsumed(bytes: number): void {
    this.#consumed += bytes;
    const end = this.#consumed + this.#window.bytes;
    if (end - this.receiveEnd < this.#window.bytes / 4) return;
    this.receiveEnd = end;
    this.isDue = true;
  }

  takeDue(): boolean {
    const was = this.isDue;
    this.isDue = false;
    return was;
  }
}
