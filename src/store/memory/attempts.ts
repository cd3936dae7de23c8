import type { AttemptRule, Attempts } from "../attempts.ts";
import { requireAttempt, requireCounterKey } from "../checks.ts";

/** Beyond this what was tried longest ago is forgotten, so that a flood of made-up names cannot grow memory. */
const MAX_KEYS = 100_000;
/** 2 to the power of this is beyond every delay. */
const MAX_DOUBLINGS = 40;

interface Tried {
  readonly count: number;
  readonly lastAt: number;
}

/** The attempts that one process has seen. */
export class MemoryAttempts implements Attempts {
  readonly #now: () => number;
  readonly #capacity: number;
  /** In the order in which they were counted last. */
  readonly #tried = new Map<string, Tried>();

  /** @param now monotonic ms */
  constructor(now: () => number = () => performance.now(), capacity = MAX_KEYS) {
    this.#now = now;
    this.#capacity = capacity;
  }

  async begin(key: string, rule: AttemptRule): Promise<number> {
    requireAttempt(key, rule);
    const now = this.#now();
    const before = this.#tried.get(key);
    const isFirst = before === undefined || now - before.lastAt > rule.forgottenAfterMs;
    const waitMs = isFirst ? 0 : Math.ceil(before.lastAt + delayAfter(before.count, rule) - now);
    if (waitMs > 0) return waitMs;
    this.#remember(key, { count: isFirst ? 1 : before.count + 1, lastAt: now });
    return 0;
  }

  async clear(key: string): Promise<void> {
    this.#tried.delete(requireCounterKey(key));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tried.clear();
  }

  #remember(key: string, tried: Tried): void {
    this.#tried.delete(key);
    this.#tried.set(key, tried);
    const oldest = this.#tried.keys().next();
    if (this.#tried.size > this.#capacity && oldest.done !== true) this.#tried.delete(oldest.value);
  }
}

function delayAfter(count: number, { free, firstDelayMs, maxDelayMs }: AttemptRule): number {
  if (count < free) return 0;
  return Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(count - free, MAX_DOUBLINGS));
}
