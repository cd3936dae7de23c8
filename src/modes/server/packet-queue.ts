/** What keeping a message costs whatever its length: a sender of single bytes shall not hold more memory than others. Bytes. */
const LEAST_WEIGHT_BYTES = 256;

/** Messages in order, with their weight. Taking one out takes the same time however many wait. */
export class PacketQueue {
  #messages: (Uint8Array | undefined)[] = [];
  #first = 0;
  #weightBytes = 0;

  get isEmpty(): boolean {
    return this.#first === this.#messages.length;
  }

  get weightBytes(): number {
    return this.#weightBytes;
  }

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.#weightBytes += weightOf(message);
  }

  /** The oldest; null when there is none. */
  shift(): Uint8Array | null {
    const message = this.#messages[this.#first];
    if (message === undefined) return null;
    this.#messages[this.#first++] = undefined;
    this.#weightBytes -= weightOf(message);
    if (2 * this.#first > this.#messages.length) this.#forgetTaken();
    return message;
  }

  clear(): void {
    this.#messages = [];
    this.#first = 0;
    this.#weightBytes = 0;
  }

  #forgetTaken(): void {
    this.#messages = this.#messages.slice(this.#first);
    this.#first = 0;
  }
}

function weightOf(message: Uint8Array): number {
  return Math.max(LEAST_WEIGHT_BYTES, message.length);
}
