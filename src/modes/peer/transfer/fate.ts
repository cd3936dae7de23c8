import type { ErrorCode } from "../../../wire/errors.ts";
import type { UserError } from "../../cli/errors.ts";
import { codeToTell, failureOf } from "./failure.ts";

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

  /** What to give the streams up with. */
  get code(): ErrorCode {
    return this.#failure === null ? "internal" : codeToTell(this.#failure);
  }

  /** The other end said it first, or is gone. */
  get isKnownThere(): boolean {
    return this.#isKnownThere;
  }

  /** @returns what counts: this, or what failed before */
  fail(error: unknown, isKnownThere = false): UserError {
    if (this.#failure !== null) return this.#failure;
    const failure = failureOf(this.#action, error);
    this.#failure = failure;
    this.#isKnownThere = isKnownThere;
    this.#abort.abort(failure);
    for (const reject of this.#waiting) reject(failure);
    this.#waiting.clear();
    return failure;
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
