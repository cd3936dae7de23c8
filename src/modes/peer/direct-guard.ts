import { UserError } from "../cli/errors.ts";
import { type Reason, reasonText } from "./path-reasons.ts";
import type { PathInfo } from "./peer-session.ts";

/** Watches over a session that may use direct paths only: it has so long to find one, at first and whenever the last one is lost. */
export class DirectGuard {
  /** True when there is a direct path, false when none came in time or the session ended. */
  readonly firstPath: Promise<boolean>;
  readonly #firstPath = Promise.withResolvers<boolean>();
  readonly #timeoutMs: number;
  readonly #giveUp: () => void;
  #timer: Timer | undefined;

  /** @param giveUp ends the session */
  constructor(timeoutMs: number, giveUp: () => void) {
    this.firstPath = this.#firstPath.promise;
    this.#timeoutMs = timeoutMs;
    this.#giveUp = giveUp;
    this.lost();
  }

  moved({ kind }: PathInfo): void {
    if (kind === "relay-ws" || kind === "relay-udp") return;
    clearTimeout(this.#timer);
    this.#firstPath.resolve(true);
  }

  lost(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp(), this.#timeoutMs);
  }

  /** Why the session came to nothing. @param reason as far as is known */
  failure(peer: string, reason: Reason | null): UserError {
    const hint = reason === null ? {} : { hint: reasonText(reason) };
    return new UserError("no-path", `no direct path to ${peer} in ${this.#timeoutMs / 1_000} s`, hint);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#firstPath.resolve(false);
  }
}
