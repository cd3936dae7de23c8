import { failureOf } from "./failure.ts";
import type { UserError } from "../../cli/errors.ts";

/** Whether a transfer still goes on. The first failure counts, and everything that waits for the other end, a disk or a person hears of it. */
export class Fate {
  readonly #action: string;
  readonly #waiting = new Set<(error: UserError) => void>();
  readonly #abort = new AbortController();
  #failure: UserError | null = null;
  #isKnownThere = false;

  /** @param action "cannot send the files to ben", for what failed without words of its own */
  constructor(action: string) {
    this.#action = action;
  }

  /** For what takes one; aborted by the failure. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get failure(): UserError | null {
    return this.#failure;
  }

  /** The other end said it first, or is gone. */
  get isKnownThere(): boolean {
    return this.#isKnownThere;
  }

  fail(error: unknown, isKnownThere = false): void {
    if (this.#failure !== null) return;
    const failure = failureOf(this.#action, error);
    this.#failure = failure;
    this.#isKnownThere = isKnownThere;
    this.#abort.abort(failure);
    for (const reject of this.#waiting) reject(failure);
    this.#waiting.clear();
  }

  /** @returns what `work` gives. @throws UserError the failure, as soon as there is one. It leaves nothing behind, so that a long transfer stays small */
  survive<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure);
      this.#waiting.add(reject);
      void work.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
  }
}
