import type { Log } from "./log.ts";

export interface LifecycleOptions {
  /** How long one step may take before the next one starts all the same. Milliseconds, default 5 000. */
  readonly stepTimeoutMs?: number;
  readonly log: Log;
}

interface Step {
  readonly name: string;
  readonly close: () => void | Promise<void>;
}

const STEP_TIMEOUT_MS = 5_000;

/** What was opened, closed in the opposite order: the last step opened rests on those before it. */
export class Lifecycle implements AsyncDisposable {
  readonly #steps: Step[] = [];
  readonly #timeoutMs: number;
  readonly #log: Log;
  #closing: Promise<void> | null = null;

  constructor(options: LifecycleOptions) {
    this.#timeoutMs = options.stepTimeoutMs ?? STEP_TIMEOUT_MS;
    this.#log = options.log;
  }

  /** Called when all that was added later is closed. */
  add(name: string, close: () => void | Promise<void>): void {
    this.#steps.push({ name, close });
  }

  /** Once, however often it is called. Never rejects: a step that fails or hangs is logged and passed over. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Resolves when all is closed after the signal was aborted. */
  async closeOn(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await this.close();
  }

  async #closeAll(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await this.#closeStep(step);
  }

  async #closeStep({ name, close }: Step): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(resolve, this.#timeoutMs, "late");
    try {
      if ((await Promise.race([close(), late])) === "late") this.#log.warn("close-hangs", { step: name });
    } catch (error) {
      this.#log.error("close-failed", { step: name, error: error instanceof Error ? error.message : String(error) });
    } finally {
      clearTimeout(timer);
    }
  }
}
