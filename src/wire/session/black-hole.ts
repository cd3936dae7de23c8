import { MIN_DATAGRAM_BYTES } from "../limits.ts";

/** By chance so many in a row are not lost, even where a third of all is. A mistake about large ones costs little: they are tried again. */
const DOUBTFUL_LARGE = 12;
const DOUBTFUL_BASE = 24;

/**
 * Tells from what is lost and what is not that a path swallows packets for their length, RFC 8899 §4.3: nobody has to say so. Large ones
 * are longer than 1200 bytes; that it does not carry these is another matter, as no path may be shorter.
 */
export class BlackHole {
  readonly #large = new LossRun(MIN_DATAGRAM_BYTES + 1, 0xffff, DOUBTFUL_LARGE);
  readonly #base = new LossRun(MIN_DATAGRAM_BYTES, MIN_DATAGRAM_BYTES, DOUBTFUL_BASE);

  onAcked(number: number, bytes: number): void {
    if (bytes < MIN_DATAGRAM_BYTES) return;
    this.#large.onAcked(number, bytes);
    this.#base.onAcked(number, bytes);
  }

  onLost(number: number, bytes: number): void {
    this.#large.onLost(number, bytes);
    this.#base.onLost(number, bytes);
  }

  /**
   * Not at the first doubt: the end of a flight that overran a queue is lost alike, and the short packet that probes for it arrives. One more
   * long packet has to be lost of those that leave afterwards. Asked once.
   * @param next the number that the next packet gets
   */
  takeLarge(next: number): boolean {
    return this.#large.take(next);
  }

  /** At the first doubt: it only has the route prove itself again. Asked once. */
  takeBase(): boolean {
    return this.#base.take(null);
  }
}

/** Losses of packets within two lengths, since one at least as long came through. */
class LossRun {
  readonly #from: number;
  readonly #to: number;
  readonly #doubtful: number;
  #count = 0;
  #shortest = Number.POSITIVE_INFINITY;
  #provenBytes = 0;
  /** Acks are read before the losses they reveal: what left before this one and is shorter was lost for another reason. */
  #provenNumber = -1;
  /** Of the first packet sent after there was doubt. */
  #doubtedAt: number | null = null;
  #isConfirmed = false;

  constructor(from: number, to: number, doubtful: number) {
    this.#from = from;
    this.#to = to;
    this.#doubtful = doubtful;
  }

  onAcked(number: number, bytes: number): void {
    if (bytes < this.#from) return;
    if (bytes >= this.#shortest) this.#restart();
    const proven = Math.min(bytes, this.#to);
    if (proven < this.#provenBytes) return;
    this.#provenBytes = proven;
    this.#provenNumber = Math.max(number, this.#provenNumber);
  }

  onLost(number: number, bytes: number): void {
    if (bytes < this.#from || bytes > this.#to || number < this.#provenNumber) return;
    this.#count++;
    this.#shortest = Math.min(bytes, this.#shortest);
    this.#isConfirmed ||= this.#doubtedAt !== null && number >= this.#doubtedAt;
  }

  /** @param next null where doubt is enough */
  take(next: number | null): boolean {
    if (this.#count < this.#doubtful) return false;
    this.#doubtedAt ??= next;
    if (next !== null && !this.#isConfirmed) return false;
    this.#restart();
    return true;
  }

  #restart(): void {
    this.#count = 0;
    this.#shortest = Number.POSITIVE_INFINITY;
    this.#provenBytes = 0;
    this.#doubtedAt = null;
    this.#isConfirmed = false;
  }
}
