import type { TransferLimit } from "../../cli/events.ts";
import type { PeerSession } from "../peer-session.ts";
import { timesSince } from "../session-figures.ts";

/** What took less is over before anything could hold it up for long enough to tell. Milliseconds. */
const TELLING_MS = 1_000;

/** Watches a session while files go out over it, and says afterwards what held them up. Times are monotonic milliseconds. */
export class SendingLimit {
  readonly #session: Pick<PeerSession, "figures" | "path">;
  readonly #now: () => number;
  readonly #startedAtMs: number;
  readonly #before: PeerSession["figures"];
  #after: PeerSession["figures"];
  #allSentAtMs: number;

  constructor(session: Pick<PeerSession, "figures" | "path">, now: () => number) {
    this.#session = session;
    this.#now = now;
    this.#startedAtMs = this.#allSentAtMs = now();
    this.#before = this.#after = session.figures;
  }

  /** The other end's program has everything; until it says that the files are saved, its disk works. */
  allSent(): void {
    this.#allSentAtMs = this.#now();
    this.#after = this.#session.figures;
  }

  /** When the files are confirmed. */
  get verdict(): TransferLimit {
    const now = this.#now();
    if (now - this.#startedAtMs < TELLING_MS) return "too-short";
    const times = timesSince(this.#before.limitTimes, this.#after.limitTimes);
    // No credit comes while what was given is not on their disk.
    const theirs = times.credit + now - this.#allSentAtMs;
    const network = times.window + times.pacing + times.buffer + times.path;
    const most = Math.max(theirs, network, times.application);
    if (most === theirs) return "their-disk";
    if (most === times.application) return "our-disk";
    return this.#isRelayLimited ? "relay-limit" : "network";
  }

  get #isRelayLimited(): boolean {
    const { kind, relayBytesPerSecond } = this.#session.path;
    return (kind === "relay-ws" || kind === "relay-udp") && relayBytesPerSecond !== undefined;
  }
}

/** The receiving end knows how long it waited for its own disk, and nothing of what held up the other end. */
export class ReceivingLimit {
  readonly #now: () => number;
  readonly #startedAtMs: number;
  #diskMs = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** Waits for our disk, when nothing else can go on. */
  async disk<T>(work: Promise<T>): Promise<T> {
    const since = this.#now();
    try {
      return await work;
    } finally {
      this.#diskMs += this.#now() - since;
    }
  }

  get verdict(): TransferLimit {
    const tookMs = this.#now() - this.#startedAtMs;
    if (tookMs < TELLING_MS) return "too-short";
    return this.#diskMs >= tookMs / 2 ? "our-disk" : "network-or-their-disk";
  }
}
