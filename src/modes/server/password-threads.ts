import { Worker } from "node:worker_threads";
import type { Clock } from "./clock.ts";
import type { PasswordJob, PasswordOutcome, PasswordResult } from "./password-jobs.ts";
import type { Slots } from "./slots.ts";

// In the executable entries lie where they lay under src, and all that they share at the top.
const path = Bun.isStandaloneExecutable ? "./modes/server/password-thread.ts" : "./password-thread.ts";

/** A thread without work goes after so long, and its 5 MB with it. */
const IDLE_MS = 10_000;

/**
 * Threads that hash passwords, one for each slot that is taken. On Linux they stand back behind the loop: those who are signed in do not
 * wait behind a password, which takes a processor for 50 ms. Not far: on a busy machine one still gets a tenth of a processor.
 */
export class PasswordThreads {
  readonly #slots: Slots;
  readonly #clock: Clock;
  /** And what calls the end of each off. */
  readonly #idle = new Map<Worker, () => void>();

  constructor(slots: Slots, clock: Clock) {
    this.#slots = slots;
    this.#clock = clock;
  }

  /** @throws Refusal `busy`; Error when the work cannot be done */
  async run<Job extends PasswordJob>(job: Job): Promise<PasswordResult<Job>> {
    return this.#slots.run(async () => {
      const thread = this.#take();
      const outcome = await outcomeIn(thread, job);
      this.#giveBack(thread);
      if ("error" in outcome) throw new Error(`cannot ${job.kind} a password: ${outcome.error}`);
      return outcome.value as PasswordResult<Job>;
    });
  }

  #take(): Worker {
    const idle = [...this.#idle.keys()].at(-1); // so that the others may go
    if (idle === undefined) return this.#start();
    this.#forget(idle);
    return idle;
  }

  #giveBack(thread: Worker): void {
    const end = () => {
      this.#idle.delete(thread);
      void thread.terminate();
    };
    this.#idle.set(thread, this.#clock.after(IDLE_MS, end));
  }

  #start(): Worker {
    const thread = new Worker(new URL(path, import.meta.url));
    thread.on("error", () => this.#forget(thread)).once("exit", () => this.#forget(thread));
    return thread;
  }

  #forget(thread: Worker): void {
    this.#idle.get(thread)?.();
    this.#idle.delete(thread);
  }
}

/** @throws Error when the thread has ended instead */
async function outcomeIn(thread: Worker, job: PasswordJob): Promise<PasswordOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<PasswordOutcome>();
  const ended = (cause: unknown) => reject(new Error("a thread that hashes passwords has ended", { cause }));
  thread.once("message", resolve).once("error", ended).once("exit", ended);
  thread.ref();
  thread.postMessage(job, []);
  try {
    return await promise;
  } finally {
    thread.unref(); // it holds no program up that has nothing else to do
    thread.off("message", resolve).off("error", ended).off("exit", ended);
  }
}
