import type { SimEnd } from "./end.ts";
import type { SimNetwork } from "./network.ts";
import type { Seeded } from "./seeded.ts";

/** Somebody who writes to a stream as fast as it takes, and finishes it. */
export class Transfer {
  readonly content: Uint8Array;
  readonly stream: number;
  readonly #from: SimEnd;
  #written = 0;

  constructor(from: SimEnd, stream: number, content: Uint8Array, finishes = true) {
    this.#from = from;
    this.stream = stream;
    this.content = content;
    const before = from.onEvent;
    from.onEvent = (event) => {
      before?.(event);
      if (event.kind === "stream-writable" && event.stream === stream) this.#write(finishes);
    };
    this.#write(finishes);
    from.flush();
  }

  /** Byte for byte, once, in order. */
  hasArrived(to: SimEnd): boolean {
    const inbox = to.inbox(this.stream);
    return inbox.bytes >= this.content.length && Buffer.concat(inbox.parts).equals(this.content);
  }

  #write(finishes: boolean): void {
    this.#written += this.#from.session.write(0, this.stream, this.content.subarray(this.#written));
    if (finishes && this.#written === this.content.length) this.#from.session.finish(0, this.stream);
  }
}

/** Content whose every position tells where it belongs. */
export function content(random: Seeded, bytes: number): Uint8Array {
  return random.bytes(bytes);
}

/** The longest time without a new byte at the reader, from now until the stream is finished. */
export function longestStall(network: SimNetwork, end: SimEnd, stream: number, limitMs: number): number {
  let [bytes, since, longest] = [0, network.now, 0];
  network.runUntil(
    () => {
      const inbox = end.inbox(stream);
      if (inbox.bytes > bytes) {
        longest = Math.max(longest, network.now - since);
        [bytes, since] = [inbox.bytes, network.now];
      }
      return inbox.isFinished;
    },
    limitMs,
    "the end of the stream",
  );
  return longest;
}
