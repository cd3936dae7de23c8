import type { Random } from "../../src/wire/core.ts";

/** Numbers that follow from a seed: sfc32 (PractRand). The same seed gives the same run, byte for byte. */
export class Seeded {
  #a = 0x9e3779b9;
  #b = 0x243f6a88;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#c = seed | 0;
    for (let round = 0; round < 12; round++) this.#next();
  }

  /** From 0 to just below 1. */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  readonly bytes: Random = (length) => {
    const words = new Uint32Array(Math.ceil(length / 4));
    for (let index = 0; index < words.length; index++) words[index] = this.#next();
    return new Uint8Array(words.buffer, 0, length);
  };

  /** For what lives beside this one and must not share its numbers. */
  fork(): Seeded {
    return new Seeded(this.#next());
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
