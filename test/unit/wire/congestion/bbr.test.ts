import { expect, test } from "bun:test";
import { Bbr } from "../../../../src/wire/congestion/bbr.ts";

/** A path of `rate` bytes per ms and `rttMs` without a queue: every round it delivers what the controller lets out, at most the rate. */
class Path {
  readonly bbr = new Bbr();
  now = 0;
  #delivered = 0;
  readonly #rate: number;
  readonly #rttMs: number;
  readonly #loss: number;

  constructor(rate: number, rttMs: number, loss = 0) {
    this.#rate = rate;
    this.#rttMs = rttMs;
    this.#loss = loss;
  }

  round(options: { readonly isAppLimited?: boolean } = {}): void {
    const flight = Math.min(this.bbr.windowBytes, this.bbr.pacingBytesPerMs * this.#rttMs);
    const through = Math.min(flight * (1 - this.#loss), this.#rate * this.#rttMs);
    const prior = this.#delivered;
    this.#delivered += through;
    this.now += this.#rttMs;
    if (this.#loss > 0) this.bbr.onLost(this.now, flight * this.#loss, false);
    this.bbr.onAck({
      now: this.now,
      ackedBytes: through,
      bytesInFlight: flight,
      rttMs: this.#rttMs,
      deliveredBytes: this.#delivered,
      priorDeliveredBytes: prior,
      deliveryRate: through / this.#rttMs,
      isAppLimited: options.isAppLimited ?? false,
    });
  }

  rounds(count: number): void {
    for (let round = 0; round < count; round++) this.round();
  }
}

test("Bbr finds the rate of a path within a few round trips, and paces around it", () => {
  const path = new Path(12_500, 50);
  path.rounds(12);
  expect(path.bbr.pacingBytesPerMs).toBeGreaterThan(0.7 * 12_500);
  expect(path.bbr.pacingBytesPerMs).toBeLessThan(1.3 * 12_500);
  expect(path.bbr.windowBytes).toBeGreaterThan(12_500 * 50);
});

test("Bbr probes above the rate and drains below it, once in eight round trips each", () => {
  const path = new Path(10_000, 20);
  path.rounds(20);
  const gains: number[] = [];
  for (let round = 0; round < 64; round++) {
    path.round();
    gains.push(Math.round((path.bbr.pacingBytesPerMs / 10_000) * 100) / 100);
  }
  expect(new Set(gains)).toEqual(new Set([1.25, 0.75, 1]));
  expect(gains.filter((gain) => gain === 1.25).length).toBeGreaterThanOrEqual(3);
});

test("Bbr keeps its rate where 30 % is lost by nature", () => {
  const path = new Path(10_000, 40, 0.3);
  path.rounds(400);
  expect(path.bbr.pacingBytesPerMs).toBeGreaterThan(0.9 * 10_000);
});

test("Bbr forgets a rate that is no longer there", () => {
  const bbr = new Bbr();
  let delivered = 0;
  for (let round = 0; round < 60; round++) {
    const rate = round < 30 ? 10_000 : 1_000;
    const prior = delivered;
    delivered += rate * 20;
    const sample = {
      ackedBytes: rate * 20,
      bytesInFlight: rate * 20,
      rttMs: 20,
      isAppLimited: false,
      deliveryRate: rate,
    };
    bbr.onAck({ ...sample, now: round * 20, deliveredBytes: delivered, priorDeliveredBytes: prior });
  }
  expect(bbr.pacingBytesPerMs).toBeLessThanOrEqual(1_250);
});

test("Bbr learns nothing low from a sender that has nothing to say", () => {
  const path = new Path(10_000, 40);
  path.rounds(30);
  const before = path.bbr.windowBytes;
  for (let round = 0; round < 100; round++)
    path.bbr.onAck({
      now: path.now + round * 40,
      ackedBytes: 1_200,
      bytesInFlight: 0,
      rttMs: 40,
      deliveredBytes: 1e9 + round * 1_200,
      priorDeliveredBytes: 1e9 + (round - 1) * 1_200,
      deliveryRate: 30,
      isAppLimited: true,
    });
  expect(path.bbr.windowBytes).toBeGreaterThan(0.8 * before);
});

test("Bbr cuts its window at persistent congestion and takes it back at the first ack", () => {
  const path = new Path(10_000, 40);
  path.rounds(30);
  const before = path.bbr.windowBytes;
  path.bbr.onLost(path.now, 50_000, true);
  expect(path.bbr.windowBytes).toBe(4_800);
  path.round();
  expect(path.bbr.windowBytes).toBeGreaterThan(0.8 * before);
});

test("Bbr never paces at nothing", () => {
  const bbr = new Bbr();
  expect(bbr.pacingBytesPerMs).toBeGreaterThan(100);
  for (let round = 0; round < 50; round++)
    bbr.onAck({
      now: round * 100,
      ackedBytes: 1,
      bytesInFlight: 0,
      rttMs: 100,
      deliveredBytes: round,
      priorDeliveredBytes: round - 1,
      deliveryRate: 0.001,
      isAppLimited: false,
    });
  expect(bbr.pacingBytesPerMs).toBeGreaterThanOrEqual(48);
  expect(bbr.windowBytes).toBeGreaterThanOrEqual(4_800);
});
