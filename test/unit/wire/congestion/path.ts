import { Bbr, type BbrOptions } from "../../../../src/wire/congestion/bbr.ts";
import type { AckSample } from "../../../../src/wire/congestion/controller.ts";
import { Seeded } from "../../../sim/seeded.ts";

/** Acks a round trip brings here. */
const ACKS = 10;

/** A path of `rate` bytes per ms and `rttMs` with an endless queue, in steps of a tenth of a round trip. */
export class Path {
  readonly bbr: Bbr;
  now = 0;
  rate: number;
  readonly #rttMs: number;
  readonly #loss: number;
  #delivered = 0;
  #lost = 0;
  #queued = 0;
  /** Delivered and lost as they were when what is acknowledged now was sent. */
  readonly #past: { delivered: number; lost: number; inFlight: number; sent: number }[] = [];

  constructor(rate: number, rttMs: number, loss = 0, options: BbrOptions = {}) {
    this.bbr = new Bbr(new Seeded(1).bytes, options);
    this.rate = rate;
    this.#rttMs = rttMs;
    this.#loss = loss;
  }

  rounds(count: number, more: Partial<AckSample> = {}): void {
    for (let step = 0; step < count * ACKS; step++) this.#step(more);
  }

  #step(more: Partial<AckSample>): void {
    const ms = this.#rttMs / ACKS;
    this.now += ms;
    const inFlight = this.#past.reduce((sum, { sent }) => sum + sent, 0) + this.#queued;
    const sent = Math.max(0, Math.min(this.bbr.windowBytes - inFlight, this.bbr.pacingBytesPerMs * ms));
    this.#past.push({ delivered: this.#delivered, lost: this.#lost, inFlight: inFlight + sent, sent });
    if (this.#past.length <= ACKS) return;
    const old = this.#past.shift();
    if (old === undefined) return;
    this.#queued += old.sent * (1 - this.#loss);
    const through = Math.min(this.#queued, this.rate * ms);
    this.#queued -= through;
    this.#onLost(old, old.sent * this.#loss);
    this.#delivered += through;
    this.bbr.onAck({
      now: this.now,
      ackedBytes: through,
      bytesInFlight: inFlight + sent - old.sent * this.#loss - through,
      rttMs: this.#rttMs + this.#queued / this.rate,
      deliveredBytes: this.#delivered,
      priorDeliveredBytes: old.delivered,
      deliveryRate: (this.#delivered - old.delivered) / (this.#rttMs + ms),
      isAppLimited: false,
      sentInFlightBytes: old.inFlight,
      lostSinceBytes: this.#lost - old.lost,
      ...more,
    });
  }

  #onLost({ inFlight, lost }: { inFlight: number; lost: number }, lostBytes: number): void {
    if (lostBytes === 0) return;
    this.#lost += lostBytes;
    this.bbr.onLost({
      now: this.now,
      lostBytes,
      sentAtMs: this.now - this.#rttMs,
      sentInFlightBytes: inFlight,
      lostSinceBytes: this.#lost - lost,
      isAppLimited: false,
      isPersistent: false,
    });
  }
}
