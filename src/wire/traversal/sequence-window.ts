const WINDOW = 64;
const HALF = 32;

/** Which 32-bit sequence numbers were seen: each once, none older than 64 behind the highest, no wrapping. RFC 6479's idea in two words. */
export class SequenceWindow {
  #highest = -1;
  /** Bit n: the number `highest − n` was seen, in `recent` for the newest 32 and in `older` for the 32 behind them. */
  #recent = 0;
  #older = 0;

  /** True once per number. */
  accept(sequence: number): boolean {
    if (sequence > this.#highest) this.#advance(sequence - this.#highest);
    const behind = this.#highest - sequence;
    if (behind >= WINDOW || this.#isSeen(behind)) return false;
    if (behind < HALF) this.#recent |= 1 << behind;
    else this.#older |= 1 << (behind - HALF);
    return true;
  }

  #advance(steps: number): void {
    this.#highest += steps;
    const recent = this.#recent;
    this.#recent = steps < HALF ? recent << steps : 0;
    if (steps < HALF) this.#older = (this.#older << steps) | (recent >>> (HALF - steps));
    else this.#older = steps < WINDOW ? recent << (steps - HALF) : 0;
  }

  #isSeen(behind: number): boolean {
    return behind < HALF ? (this.#recent & (1 << behind)) !== 0 : (this.#older & (1 << (behind - HALF))) !== 0;
  }
}
