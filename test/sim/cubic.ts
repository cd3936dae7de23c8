import type { AckSample, CongestionController, LossSample } from "../../src/wire/congestion/controller.ts";
import { HyStart } from "./hystart.ts";

/** Full packets of the simulated paths. Bytes. */
const MSS_BYTES = 1_472;
const INITIAL_WINDOW_BYTES = 10 * MSS_BYTES;
const MIN_WINDOW_BYTES = 2 * MSS_BYTES;
const BETA = 0.7;
/** Segments per second cubed. */
const C = 0.4;
/** What Reno adds each round so as to get on with a cut to {@link BETA}, RFC 9438 §4.3. Segments. */
const RENO_ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** A paced sender leaves ack clocking room, RFC 9002 §7.7. */
const [SLOW_START_PACING, AVOIDANCE_PACING] = [2, 1.25];

/** What a congestion event changes, to be taken back when it was none. */
interface State {
  readonly windowBytes: number;
  readonly thresholdBytes: number;
  readonly maxBytes: number;
}

/** CUBIC, RFC 9438, with HyStart++: what the kernels of the world do, and so the rival that BBR must live with. */
export class Cubic implements CongestionController {
  readonly name = "cubic";
  windowBytes = INITIAL_WINDOW_BYTES;
  readonly #hystart = new HyStart();
  #thresholdBytes = Number.POSITIVE_INFINITY;
  #maxBytes = 0;
  #renoBytes = 0;
  /** Since when the cubic function runs; null until the first ack after an event. */
  #epochAtMs: number | null = null;
  #recoverySince = Number.NEGATIVE_INFINITY;
  /** Acks of packets sent before the event do not let the window grow. */
  #recoveredAtDelivered = 0;
  #delivered = 0;
  #rttMs: number | null = null;
  #before: State | null = null;
  #lostBytes = 0;

  get phase(): string {
    return this.#isSlowStart ? "slow-start" : "avoidance";
  }

  get pacingBytesPerMs(): number {
    const gain = this.#isSlowStart ? SLOW_START_PACING : AVOIDANCE_PACING;
    return (gain * this.windowBytes) / (this.#rttMs ?? 100);
  }

  onAck(sample: AckSample): void {
    this.#delivered = sample.deliveredBytes;
    if (sample.rttMs !== null) this.#rttMs = this.#rttMs === null ? sample.rttMs : (7 * this.#rttMs + sample.rttMs) / 8;
    if (sample.priorDeliveredBytes < this.#recoveredAtDelivered || sample.isAppLimited) return;
    if (this.#isSlowStart) this.#slowStart(sample);
    else this.#avoid(sample);
  }

  onLost({ now, lostBytes, sentAtMs, isPersistent }: LossSample): void {
    this.#lostBytes += lostBytes;
    if (sentAtMs > this.#recoverySince) this.#reduce(now, lostBytes);
    if (isPersistent) this.windowBytes = MIN_WINDOW_BYTES;
  }

  /** RFC 9438 §4.9: all that made the last event was only late. */
  onSpurious(_now: number, lateBytes: number): void {
    this.#lostBytes -= lateBytes;
    if (this.#before === null || this.#lostBytes > 0) return;
    const { windowBytes, thresholdBytes, maxBytes } = this.#before;
    this.windowBytes = Math.max(windowBytes, this.windowBytes);
    this.#thresholdBytes = thresholdBytes;
    this.#maxBytes = maxBytes;
    this.#before = this.#epochAtMs = null;
  }

  get #isSlowStart(): boolean {
    return this.windowBytes < this.#thresholdBytes;
  }

  #slowStart(sample: AckSample): void {
    const { growth, isOver } = this.#hystart.onAck(sample);
    this.windowBytes += sample.ackedBytes * growth;
    if (isOver) this.#thresholdBytes = this.#maxBytes = this.windowBytes;
  }

  #avoid({ now, ackedBytes }: AckSample): void {
    if (this.#epochAtMs === null) {
      this.#epochAtMs = now;
      this.#renoBytes = this.windowBytes;
      this.#maxBytes = Math.max(this.#maxBytes, this.windowBytes);
      this.#startBytes = this.windowBytes;
    }
    const share = ackedBytes / this.windowBytes;
    this.#renoBytes += (this.#renoBytes < this.#maxBytes ? RENO_ALPHA : 1) * share * MSS_BYTES;
    const target = this.#cubicAt(now + (this.#rttMs ?? 0));
    const grown = Math.min(Math.max(target, this.windowBytes), 1.5 * this.windowBytes);
    this.windowBytes = Math.max(this.windowBytes + (grown - this.windowBytes) * share, this.#renoBytes);
  }

  #startBytes = 0;

  /** W_cubic of RFC 9438 §4.2. */
  #cubicAt(now: number): number {
    const k = Math.cbrt((this.#maxBytes - this.#startBytes) / MSS_BYTES / C);
    const seconds = (now - (this.#epochAtMs ?? now)) / 1_000 - k;
    return C * seconds ** 3 * MSS_BYTES + this.#maxBytes;
  }

  #reduce(now: number, lostBytes: number): void {
    this.#before = {
      windowBytes: this.windowBytes,
      thresholdBytes: this.#thresholdBytes,
      maxBytes: this.#maxBytes,
    };
    this.#lostBytes = lostBytes;
    this.#recoverySince = now;
    this.#recoveredAtDelivered = this.#delivered;
    // Fast convergence, §4.7: who shrinks gives room to who comes.
    this.#maxBytes = this.windowBytes < this.#maxBytes ? (this.windowBytes * (1 + BETA)) / 2 : this.windowBytes;
    this.windowBytes = this.#thresholdBytes = Math.max(BETA * this.windowBytes, MIN_WINDOW_BYTES);
    this.#epochAtMs = null;
  }
}
