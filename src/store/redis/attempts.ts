import type { AttemptRule, Attempts } from "../attempts.ts";
import { requireAttempt, requireCounterKey } from "../checks.ts";
import { MemoryAttempts } from "../memory/attempts.ts";
import { AwayError } from "./errors.ts";
import type { RedisLink } from "./link.ts";
import { attemptScripts, type Script } from "./scripts.ts";

/** Each count is a key of its own, which Redis forgets by itself. The clock is Redis's. */
export class RedisAttempts implements Attempts {
  readonly #link: RedisLink;
  /** While Redis is away. */
  readonly #local = new MemoryAttempts();

  constructor(link: RedisLink) {
    this.#link = link;
  }

  async begin(key: string, rule: AttemptRule): Promise<number> {
    requireAttempt(key, rule);
    const { free, firstDelayMs, maxDelayMs, forgottenAfterMs } = rule;
    const waitMs = await this.#ask(attemptScripts.begin, key, free, firstDelayMs, maxDelayMs, forgottenAfterMs);
    return waitMs ?? this.#local.begin(key, rule);
  }

  async clear(key: string): Promise<void> {
    requireCounterKey(key);
    await this.#local.clear(key);
    await this.#ask(attemptScripts.clear, key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#local[Symbol.asyncDispose]();
  }

  /** @returns null while Redis is away */
  async #ask(script: Script, key: string, ...args: readonly number[]): Promise<number | null> {
    try {
      return Number(await this.#link.run(script, [`${this.#link.prefix}:attempts:${key}`], ...args));
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      return null;
    }
  }
}
