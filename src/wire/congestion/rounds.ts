import type { AckSample } from "./controller.ts";

/** Round trips counted in packets: one is over when something that left after its beginning is acknowledged. */
export class Rounds {
  count = 0;
  /** The last ack began a round. */
  isStart = false;
  #endsAtDelivered = 0;
  #deliveredBytes = 0;

  onAck({ priorDeliveredBytes, deliveredBytes }: AckSample): void {
    // The controller has come to another path, which counts from zero.
    if (deliveredBytes < this.#deliveredBytes) this.#endsAtDelivered = 0;
    this.#deliveredBytes = deliveredBytes;
    this.isStart = priorDeliveredBytes >= this.#endsAtDelivered;
    if (!this.isStart) return;
    this.count++;
    this.#endsAtDelivered = deliveredBytes;
  }

  /** The one under way ends when what leaves from now on is acknowledged. */
  restart(deliveredBytes: number): void {
    this.#endsAtDelivered = deliveredBytes;
  }
}
