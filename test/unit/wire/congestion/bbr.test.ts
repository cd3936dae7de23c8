import { expect, test } from "bun:test";
import { Bbr } from "../../../../src/wire/congestion/bbr.ts";
import { Seeded } from "../../../sim/seeded.ts";
import { Path } from "./path.ts";

const LOSS = {
  lostBytes: 50_000,
  sentAtMs: 0,
  sentInFlightBytes: 400_000,
  lostSinceBytes: 50_000,
  isAppLimited: false,
};

test("Bbr finds the rate of a path within a few round trips, and paces around it", () => {
  const path = new Path(12_500, 50);
  path.rounds(14);
  expect(path.bbr.phase).not.toBe("startup");
  path.rounds(6);
  expect(path.bbr.pacingBytesPerMs).toBeGreaterThan(0.85 * 12_500);
  expect(path.bbr.pacingBytesPerMs).toBeLessThan(1.3 * 12_500);
  expect(path.bbr.windowBytes).toBeGreaterThan(12_500 * 50);
});

test("Bbr asks for more every 2 to 3 s, drains what that queued, and keeps to the rate in between", () => {
  const path = new Path(10_000, 50);
  path.rounds(20);
  const phases: string[] = [];
  let ups = 0;
  for (let round = 0; round < 400; round++) {
    path.rounds(1);
    if (path.bbr.phase === "probe-bandwidth-up" && phases.at(-1) !== path.bbr.phase) ups++;
    phases.push(path.bbr.phase);
  }
  // 20 s.
  expect(ups).toBeGreaterThanOrEqual(6);
  expect(ups).toBeLessThanOrEqual(10);
  expect(new Set(phases)).toContain("probe-bandwidth-down");
  expect(phases.filter((phase) => phase === "probe-bandwidth-cruise").length).toBeGreaterThan(200);
});

test("Bbr keeps its rate where 1, 10 or 30 % is lost by nature", () => {
  for (const loss of [0.01, 0.1, 0.3]) {
    const path = new Path(10_000, 40, loss);
    path.rounds(400);
    expect(path.bbr.pacingBytesPerMs).toBeGreaterThan(0.85 * 10_000);
    expect(path.bbr.pacingBytesPerMs).toBeLessThan(1.3 * (10_000 / (1 - loss)));
  }
});

test("Bbr forgets a rate that is no longer there", () => {
  const path = new Path(10_000, 20);
  path.rounds(100);
  path.rate = 1_000;
  path.rounds(800);
  expect(path.bbr.pacingBytesPerMs).toBeLessThanOrEqual(1_300);
});

test("Bbr finds a rate that has grown tenfold within some seconds", () => {
  const path = new Path(1_000, 20);
  path.rounds(100);
  path.rate = 10_000;
  path.rounds(400);
  expect(path.bbr.pacingBytesPerMs).toBeGreaterThan(8_000);
});

test("Bbr learns nothing low from a sender that has nothing to say", () => {
  const path = new Path(10_000, 40);
  path.rounds(30);
  const before = path.bbr.windowBytes;
  path.rounds(100, {
    isAppLimited: true,
    deliveryRate: 30,
    ackedBytes: 1_200,
    bytesInFlight: 0,
    sentInFlightBytes: 1_200,
  });
  expect(path.bbr.windowBytes).toBeGreaterThan(0.8 * before);
  expect(path.bbr.pacingBytesPerMs).toBeGreaterThan(0.8 * 10_000);
});

test("Bbr cuts its window at persistent congestion and takes it back at the first ack", () => {
  const path = new Path(10_000, 40);
  path.rounds(30);
  const before = path.bbr.windowBytes;
  path.bbr.onLost({ ...LOSS, now: path.now, isPersistent: true });
  expect(path.bbr.windowBytes).toBe(4_800);
  path.rounds(1);
  expect(path.bbr.windowBytes).toBeGreaterThan(0.8 * before);
});

test("Bbr ends its start when packets wait longer each round, but not where TCP makes them wait", () => {
  const phases = [false, true].map((overTcp) => {
    const path = new Path(1e6, 100, 0, { overTcp });
    for (let round = 0; round < 6; round++) path.rounds(1, { rttMs: 100 + 30 * round });
    return path.bbr.phase;
  });
  expect(phases[0]).not.toBe("startup");
  expect(phases[1]).toBe("startup");
});

test("Bbr over TCP ends its start all the same when more brings no more", () => {
  const path = new Path(100, 100, 0, { overTcp: true });
  path.rounds(30);
  expect(path.bbr.phase).not.toBe("startup");
});

test("Bbr never paces at nothing", () => {
  const bbr = new Bbr(new Seeded(1).bytes);
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
      sentInFlightBytes: 1,
      lostSinceBytes: 0,
    });
  expect(bbr.pacingBytesPerMs).toBeGreaterThanOrEqual(48);
  expect(bbr.windowBytes).toBeGreaterThanOrEqual(4_800);
});
