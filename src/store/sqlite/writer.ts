import { type StartThread, ThreadLink } from "./thread-link.ts";
import { fromPlain, type Outcome, type ThreadData } from "./thread-messages.ts";
import type { Call, WriteArguments, WriteName, WriteResult } from "./writes.ts";

/** In one commit. */
const MAX_TOGETHER = 256;

interface Pending {
  readonly call: Call;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes an account file in a thread of its own, so that nobody here waits for the disk: a flush may take 50 ms. Calls that come while
 * one is under way are flushed together after it.
 */
export class Writer implements AsyncDisposable {
  readonly #link: ThreadLink;
  readonly #waiting: Pending[] = [];
  #work: Promise<void> | null = null;
  #isClosed = false;

  private constructor(link: ThreadLink) {
    this.#link = link;
  }

  /** @param start starts the thread. @throws StoreError when it cannot open the file */
  static async open(data: ThreadData, start?: StartThread): Promise<Writer> {
    const link = new ThreadLink(data, start);
    await link.ask([]);
    return new Writer(link);
  }

  /** Resolves when it is on disk. @throws what the method of that name does; Error when nobody knows whether it was done */
  async write<Name extends WriteName>(name: Name, ...args: WriteArguments<Name>): Promise<WriteResult<Name>> {
    if (this.#isClosed) throw new Error("the account store is closed");
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ call: { name, args: args.map(copied) }, resolve, reject });
    this.#work ??= this.#go();
    return (await promise) as WriteResult<Name>;
  }

  /** Resolves when all that was asked for is done and the file is let go of. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#work;
    await this.#link.end();
  }

  /** Never rejects. */
  async #go(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, MAX_TOGETHER));
    this.#work = null;
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    try {
      const outcomes = await this.#link.ask(batch.map(({ call }) => call));
      for (const [index, pending] of batch.entries()) settle(pending, outcomes[index]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}

function settle({ resolve, reject }: Pending, outcome: Outcome | undefined): void {
  if (outcome === undefined) reject(new Error("the thread that writes the account store left a call out"));
  else if ("value" in outcome) resolve(outcome.value);
  else reject(fromPlain(outcome.error));
}

/**
 * The caller may go on with its bytes at once, and a view would bring all of the memory behind it along.
 * @throws TypeError for what cannot cross, which would keep the calls beside it from crossing
 */
function copied(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.slice();
  if (typeof value === "symbol" || typeof value === "function") throw new TypeError(`a ${typeof value} is no value`);
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copied(each)]));
}
