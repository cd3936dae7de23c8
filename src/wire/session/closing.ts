import type { ErrorCode } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import type { RouteState } from "./route-state.ts";

/** How often the end is told, on every usable route. */
const TRIES = 4;
/** Milliseconds. */
const MAX_GAP_MS = 500;

/** The last words of a session, RFC 9000 §10.2: told again until the other end says the same, or often enough. */
export class Closing {
  readonly frame: Frame;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly #gapMs: number;
  #triesLeft: number;
  #nextAt: number;
  #due: RouteState[] = [];

  /** @param tries 1 for the end that answers */
  constructor(now: number, code: ErrorCode, reason: string, probeTimeoutMs: number, tries = TRIES) {
    this.code = code;
    this.reason = reason;
    this.frame = { kind: "close", code, reason };
    this.#gapMs = Math.min(probeTimeoutMs, MAX_GAP_MS);
    this.#triesLeft = tries;
    this.#nextAt = now;
  }

  /** No more will be said. */
  get isOver(): boolean {
    return this.#triesLeft === 0 && this.#due.length === 0;
  }

  /** The route to tell next; null when it is not time. */
  poll(now: number, routes: readonly RouteState[]): RouteState | null {
    if (now >= this.#nextAt && this.#triesLeft > 0) {
      this.#due = [...routes];
      this.#triesLeft--;
      this.#nextAt = now + this.#gapMs;
    }
    return this.#due.shift() ?? null;
  }

  get nextAt(): number {
    return this.#nextAt;
  }
}
