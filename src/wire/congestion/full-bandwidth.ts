/** Growth that counts, and rounds without it after which the pipe is taken for full. */
const GROWTH = 1.25;
const FULL_ROUNDS = 3;

/** Whether more sending still brings more delivered: BBRCheckFullBWReached of the draft. */
export class FullBandwidth {
  isReached = false;
  #bandwidth = 0;
  #rounds = 0;

  /** Looks for growth beyond this from now on. Bytes per ms. */
  restart(bandwidth: number): void {
    this.isReached = false;
    this.#bandwidth = bandwidth;
    this.#rounds = 0;
  }

  /** At the end of a round that was not short of data. @returns whether there was growth */
  onRound(bandwidth: number): boolean {
    if (bandwidth >= GROWTH * this.#bandwidth) {
      this.restart(bandwidth);
      return true;
    }
    this.isReached = ++this.#rounds >= FULL_ROUNDS;
    return false;
  }
}
