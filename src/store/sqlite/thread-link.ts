import { Worker } from "node:worker_threads";
import { fromPlain, type Order, type Outcome, type Report, type ThreadData } from "./thread-messages.ts";
import type { Call } from "./writes.ts";

/** @returns a new thread of writer-thread.ts, or one like it */
export type StartThread = (data: ThreadData) => Worker;

/** A thread that writes an account file, begun anew where it has ended; it holds no program up that has nothing else to do. */
export class ThreadLink {
  readonly #data: ThreadData;
  readonly #start: StartThread;
  #thread: Worker | null = null;
  #asked: PromiseWithResolvers<readonly Outcome[]> | null = null;

  constructor(data: ThreadData, start: StartThread = startThread) {
    this.#data = data;
    this.#start = start;
  }

  /**
   * Not before the last call is answered.
   * @returns what became of each, when it is on disk
   * @throws StoreError when none was done; Error when the thread ended, and nobody knows whether they were
   */
  async ask(calls: readonly Call[]): Promise<readonly Outcome[]> {
    const asked = Promise.withResolvers<readonly Outcome[]>();
    this.#asked = asked;
    const thread = (this.#thread ??= this.#begin());
    thread.ref();
    tell(thread, calls);
    try {
      return await asked.promise;
    } finally {
      thread.unref();
    }
  }

  /** Resolves when the thread has let go of the file. */
  async end(): Promise<void> {
    const thread = this.#thread;
    if (thread === null) return;
    const ended = new Promise((resolve) => thread.once("exit", resolve));
    thread.ref();
    tell(thread, null);
    await ended;
  }

  #begin(): Worker {
    const thread = this.#start(this.#data);
    thread.on("message", (report: Report) => this.#heard(report));
    thread.on("error", (cause) => this.#lost(thread, cause));
    thread.on("exit", () => this.#lost(thread));
    return thread;
  }

  #heard(report: Report): void {
    if ("outcomes" in report) this.#asked?.resolve(report.outcomes);
    else this.#asked?.reject(fromPlain(report.error));
  }

  #lost(thread: Worker, cause?: unknown): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#asked?.reject(new Error("the thread that writes the account store has ended", { cause }));
  }
}

function startThread(workerData: ThreadData): Worker {
  // In the executable entries lie where they lay under src, and all that they share at the top.
  const path = Bun.isStandaloneExecutable ? "./store/sqlite/writer-thread.ts" : "./writer-thread.ts";
  return new Worker(new URL(path, import.meta.url), { workerData });
}

function tell(thread: Worker, order: Order): void {
  thread.postMessage(order, []);
}
