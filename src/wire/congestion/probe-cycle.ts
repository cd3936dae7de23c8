import type { Random } from "../core.ts";
import { MIN_DATAGRAM_BYTES } from "../limits.ts";

/**
 * Between two probes: 1.5 to 2.5 s, or half as many rounds again as Reno takes to grow by what is in flight, but no more than these.
 * The draft has 2 to 3 s and Reno's rounds; with this CUBIC and we share best at 20 ms and at 50.
 */
const LEAST_WAIT_MS = 1_500;
const WAIT_SPREAD_MS = 1_000;
const RENO_SHARE = 1.5;
const MAX_RENO_ROUNDS = 63;

/** Drain what the probe queued, keep to the rate, fill the pipe, and ask for more: BBR.state of the draft, while it is ProbeBW. */
export type ProbePhase = "down" | "cruise" | "refill" | "up";

/** When the next probe for more bandwidth is due, at random so that flows do not probe together; BBRCheckTimeToProbeBW of the draft. */
export class ProbeCycle {
  phase: ProbePhase = "down";
  readonly #random: Random;
  #startedAt = 0;
  #waitMs = 0;
  #rounds = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Probing is over. */
  startDown(now: number): void {
    this.phase = "down";
    this.#startedAt = now;
    this.#waitMs = LEAST_WAIT_MS + WAIT_SPREAD_MS * this.#fraction();
    this.#rounds = Math.round(this.#fraction());
  }

  onRound(): void {
    this.#rounds++;
  }

  isDue(now: number, targetBytes: number): boolean {
    const renoRounds = Math.min((RENO_SHARE * targetBytes) / MIN_DATAGRAM_BYTES, MAX_RENO_ROUNDS);
    return now > this.#startedAt + this.#waitMs || this.#rounds >= renoRounds;
  }

  #fraction(): number {
    return (this.#random(1)[0] ?? 0) / 256;
  }
}
