import { utf8 } from "../bytes.ts";
import { type ErrorCode, isErrorCode } from "../errors.ts";
import type { Frame } from "../messages/session.ts";
import type { EventQueue } from "./events.ts";
import type { RouteState } from "./route-state.ts";

/** How often the end is told, on every usable route. */
const TRIES = 4;
/** Milliseconds. */
const MAX_GAP_MS = 500;
const MAX_REASON_BYTES = 200;

interface LastWords {
  readonly frame: Frame;
  readonly code: ErrorCode;
  readonly reason: string;
  readonly gapMs: number;
  triesLeft: number;
  nextAt: number;
  due: readonly RouteState[];
}

/** How a session ends, RFC 9000 §10.2: the end is told again until the other end says the same, or often enough. */
export class Ending {
  state: "open" | "closing" | "closed" = "open";
  readonly #events: EventQueue;
  readonly #onOver: () => void;
  #words: LastWords | null = null;

  /** @param onOver called once nothing more is taken, perhaps twice */
  constructor(events: EventQueue, onOver: () => void) {
    this.#events = events;
    this.#onOver = onOver;
  }

  /** We end it. With no route to tell it on, that is all. */
  close(now: number, code: ErrorCode, reason: string, probeTimeoutMs: number, hasRoute: boolean): void {
    if (this.state !== "open") return;
    const fits = fitting(reason);
    if (!hasRoute) return this.end(code, fits, false);
    this.state = "closing";
    this.#onOver();
    this.#words = lastWords(now, code, fits, Math.min(probeTimeoutMs, MAX_GAP_MS), TRIES);
  }

  /** The other end ends it, which is answered once; or it answers us. */
  onRemoteClose(now: number, code: string, reason: string): void {
    if (this.state === "closed") return;
    const words = this.#words;
    this.#words = words === null ? lastWords(now, "cancelled", "", 0, 1) : null;
    if (words === null) this.end(isErrorCode(code) ? code : "peer-gone", reason, true);
    else this.end(words.code, words.reason, false);
  }

  /** Without a word to the other end. */
  end(code: ErrorCode, reason: string, remote: boolean): void {
    if (this.state === "closed") return;
    this.state = "closed";
    this.#onOver();
    this.#events.push({ kind: "closed", code, reason, remote });
  }

  /** What is to be said now, and where; null when it is not time. */
  poll(
    now: number,
    usableRoutes: () => readonly RouteState[],
  ): { readonly route: RouteState; readonly frame: Frame } | null {
    const words = this.#words;
    if (words === null) return null;
    if (now >= words.nextAt && words.triesLeft > 0) {
      words.triesLeft--;
      words.nextAt = now + words.gapMs;
      words.due = usableRoutes();
    }
    const [route, ...later] = words.due;
    words.due = later;
    if (route === undefined && this.state === "closed") this.#words = null;
    return route === undefined ? null : { route, frame: words.frame };
  }

  handleTimeout(now: number): void {
    const words = this.#words;
    if (words === null || now < words.nextAt || words.triesLeft > 0) return;
    this.#words = null;
    this.end(words.code, words.reason, false);
  }

  pollTimeout(): number | null {
    return this.state === "closing" ? (this.#words?.nextAt ?? null) : null;
  }
}

function lastWords(now: number, code: ErrorCode, reason: string, gapMs: number, tries: number): LastWords {
  return { frame: { kind: "close", code, reason }, code, reason, gapMs, triesLeft: tries, nextAt: now, due: [] };
}

/** As much of a text as a close frame holds. */
function fitting(reason: string): string {
  let cut = reason.toWellFormed();
  while (utf8(cut).length > MAX_REASON_BYTES) cut = cut.slice(0, -1).toWellFormed();
  return cut;
}
