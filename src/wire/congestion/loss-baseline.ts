/** Packets a sample of the loss rate needs to mean something. */
const MIN_SAMPLE_PACKETS = 32;
/** Samples looked back on: at least one of them falls into a phase that sends less than the path carries. */
const SAMPLES = 8;
/** More than this is not taken for the nature of the path. */
const MAX_RATE = 0.4;

/**
 * How much is lost whatever we send, as on a bad radio link: the lowest loss rate of the last samples. A full queue loses packets only
 * while more is sent than it drains, so phases that send less show a rate near zero, and that counts as no loss by nature.
 */
export class LossBaseline {
  readonly #samples: number[] = [];
  #acked = 0;
  #lost = 0;

  /** 0 to 0.4. */
  get rate(): number {
    return this.#samples.length < SAMPLES ? 0 : Math.min(MAX_RATE, ...this.#samples);
  }

  count(ackedBytes: number, lostBytes: number): void {
    this.#acked += ackedBytes;
    this.#lost += lostBytes;
  }

  /** The sending rate changes here: what was counted stands for one rate, unless it is still too little. */
  endPhase(packetBytes: number): void {
    const all = this.#acked + this.#lost;
    if (all < MIN_SAMPLE_PACKETS * packetBytes) return;
    this.#samples.push(this.#lost / all);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#acked = this.#lost = 0;
  }
}
