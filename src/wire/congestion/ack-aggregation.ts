import type { AckSample } from "./controller.ts";
import { WindowedFilter } from "./windowed-filter.ts";

const WINDOW_ROUNDS = 10;

/** How far acks run ahead of the estimated rate, as they come in heaps: BBR.extra_acked of the draft. Bytes. */
export class AckAggregation {
  readonly #extra = new WindowedFilter(WINDOW_ROUNDS, (a, b) => a > b);
  #startedAt = 0;
  #acked = 0;

  get extraBytes(): number {
    return this.#extra.value ?? 0;
  }

  onAck({ now, ackedBytes }: AckSample, round: number, bandwidth: number, mostBytes: number): void {
    let expected = bandwidth * (now - this.#startedAt);
    if (this.#acked <= expected) {
      this.#acked = expected = 0;
      this.#startedAt = now;
    }
    this.#acked += ackedBytes;
    this.#extra.update(round, Math.min(this.#acked - expected, mostBytes));
  }
}
