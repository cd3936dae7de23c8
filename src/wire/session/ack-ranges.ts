/** More ranges are not told: what they hold is sent again at worst. */
export const MAX_ACK_RANGES = 64;

/** Which packet numbers of one path of the other end have come, newest first: the contents of an ack, RFC 9000 §19.3. */
export class AckRanges {
  readonly #low = new Float64Array(MAX_ACK_RANGES);
  readonly #high = new Float64Array(MAX_ACK_RANGES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Inclusive. Range 0 is the newest. */
  low(index: number): number {
    return this.#low[index] ?? -1;
  }

  high(index: number): number {
    return this.#high[index] ?? -1;
  }

  get largest(): number {
    return this.#count === 0 ? -1 : this.high(0);
  }

  /** A number already there changes nothing. When it is full the oldest range goes. */
  add(number: number): void {
    let index = 0;
    while (index < this.#count && this.low(index) > number + 1) index++;
    if (index < this.#count && number <= this.high(index)) {
      if (number < this.low(index)) this.#extendDown(index);
    } else if (index < this.#count && number === this.high(index) + 1) this.#high[index] = number;
    else this.#insert(index, number);
  }

  /** The other end has learnt of everything up to `number`. */
  forgetThrough(number: number): void {
    while (this.#count > 0 && this.high(this.#count - 1) <= number) this.#count--;
    const last = this.#count - 1;
    if (last >= 0 && this.low(last) <= number) this.#low[last] = number + 1;
  }

  /** The number is one below the range. */
  #extendDown(index: number): void {
    const number = this.low(index) - 1;
    this.#low[index] = number;
    if (index + 1 < this.#count && this.high(index + 1) === number - 1) {
      this.#low[index] = this.low(index + 1);
      this.#close(index + 1);
    }
  }

  #insert(index: number, number: number): void {
    if (index === MAX_ACK_RANGES) return;
    if (this.#count < MAX_ACK_RANGES) this.#count++;
    this.#low.copyWithin(index + 1, index, this.#count - 1);
    this.#high.copyWithin(index + 1, index, this.#count - 1);
    this.#low[index] = this.#high[index] = number;
  }

  #close(index: number): void {
    this.#low.copyWithin(index, index + 1, this.#count);
    this.#high.copyWithin(index, index + 1, this.#count);
    this.#count--;
  }
}
