import { expect, test } from "bun:test";
import { defaultLimits, type Limits } from "../../../../src/modes/cli/limits.ts";
import { LegShaper, type ShapedLeg } from "../../../../src/modes/server/leg-shaper.ts";
import { relayQuota } from "../../../../src/modes/server/limits.ts";
import type { SharedLimits } from "../../../../src/modes/server/shared-limits.ts";
import type { RateBuckets } from "../../../../src/store/rate-buckets.ts";
import { limitsPlace } from "./limits-place.ts";
import { ManualClock } from "./manual-clock.ts";

const BODY_BYTES = 10_000;
const MB = 1_000_000;

/** 1 MB/s, of which 0.1 MB at once, and so much a day that it does not matter. */
const small = { "limit-relay-rate": 1, "limit-relay-burst": 0.1 };

class House {
  readonly clock: ManualClock;
  readonly shared: SharedLimits;
  readonly shaper: LegShaper;
  readonly troubles: unknown[] = [];

  /** @param beside the other node, with which it shares time and limits */
  constructor(changes: Partial<Limits> = small, beside: Pick<House, "clock" | "shared"> | null = null) {
    this.clock = beside?.clock ?? new ManualClock();
    this.shared = beside?.shared ?? limitsPlace(this.clock);
    const onTrouble = (error: unknown) => void this.troubles.push(error);
    this.shaper = new LegShaper(relayQuota({ ...defaultLimits, ...changes }), {
      clock: this.clock,
      shared: this.shared,
      onTrouble,
    });
  }

  open(account: string): Sender {
    return new Sender(this.shaper, account);
  }

  /** Each sends `bytesPerSecond` in small pieces, for as long. */
  run(seconds: number, senders: readonly (readonly [Sender, number])[]): void {
    for (let ms = 0; ms < seconds * 1_000; ms++) {
      for (const [sender, bytesPerSecond] of senders) {
        sender.dueBytes += bytesPerSecond / 1_000;
        for (; sender.dueBytes >= BODY_BYTES; sender.dueBytes -= BODY_BYTES) sender.push();
      }
      this.clock.advance(1);
    }
  }

  /** As `run`, and what is told over the nodes arrives meanwhile. */
  async runTogether(seconds: number, senders: readonly (readonly [Sender, number])[]): Promise<void> {
    for (let step = 0; step < seconds * 20; step++) {
      this.run(0.05, senders);
      await arrived();
    }
  }
}

/** What the nodes tell each other is there: the place in memory answers within the turn. */
async function arrived(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

class Sender {
  readonly leg: ShapedLeg;
  readonly passed: number[] = [];
  readonly told: number[] = [];
  /** Of which the next piece is made. */
  dueBytes = 0;
  #number = 0;
  constructor(shaper: LegShaper, account: string) {
    this.leg = shaper.open(account, {
      pass: (packets) => void this.passed.push(new DataView(packets.buffer).getUint32(0)),
      slowed: (bytesPerSecond) => void this.told.push(bytesPerSecond),
    });
  }

  get passedBytes(): number {
    return this.passed.length * BODY_BYTES;
  }

  push(): void {
    const packets = new Uint8Array(BODY_BYTES);
    new DataView(packets.buffer).setUint32(0, this.#number++);
    this.leg.push(packets);
  }
}

test("what is within the rate passes at once, and nobody is told anything", () => {
  const house = new House();
  const ana = house.open("ana");
  for (let at = 0; at < 10; at++) ana.push();
  house.clock.advance(100);
  for (let at = 0; at < 10; at++) ana.push();
  expect([ana.passed.length, ana.told, house.clock.pending]).toEqual([20, [], 0]);
});

test("bad input 104: what is faster waits its turn, in order, is told the rate, and goes at the rate", () => {
  const house = new House();
  const ana = house.open("ana");
  for (let at = 0; at < 30; at++) ana.push();
  expect(ana.passed.length).toBe(10);
  expect(new Set(ana.told)).toEqual(new Set([MB]));
  house.clock.advance(100);
  expect(ana.passed.length).toBeWithin(20, 22);
  house.clock.advance(200);
  expect(ana.passed).toEqual(Array.from({ length: 30 }, (_, at) => at));
  expect(house.clock.pending).toBe(0);
});

test("bad input 104: of more than 250 ms of the rate the oldest are lost, and what is there is never older", () => {
  const house = new House();
  const ana = house.open("ana");
  for (let at = 0; at < 1_000; at++) ana.push();
  house.clock.advance(10_000);
  expect(ana.passed.length).toBe(10 + 25);
  expect(ana.passed.slice(10)).toEqual(Array.from({ length: 25 }, (_, at) => 975 + at));
});

test("bad input 104: over a while an account gets its rate whatever it sends, another one its own", () => {
  const house = new House();
  const [ana, ben] = [house.open("ana"), house.open("ben")];
  house.run(4, [
    [ana, 100 * MB],
    [ben, 0.9 * MB],
  ]);
  expect(ana.passedBytes / MB).toBeWithin(4, 4.2);
  expect(ben.passedBytes / MB).toBeWithin(3.58, 3.62);
  expect(ben.told).toEqual([]);
});

test("the legs of an account take turns: one that floods does not push out one that is modest", () => {
  const house = new House();
  const [flood, modest, other] = [house.open("ana"), house.open("ana"), house.open("ana")];
  house.run(4, [
    [flood, 50 * MB],
    [modest, 0.2 * MB],
    [other, 50 * MB],
  ]);
  expect(modest.passedBytes / MB).toBeWithin(0.7, 0.81);
  expect(flood.passedBytes / other.passedBytes).toBeWithin(0.9, 1.1);
});

test("bad input 105: a day's volume that is spent goes on as it comes back, nothing is refused, and the new rate is told", () => {
  // 0.00864 GB a day come back at 100 bytes a second.
  const house = new House({ "limit-relay-rate": 1, "limit-relay-burst": 1, "limit-relay-daily": 0.00864 });
  const ana = house.open("ana");
  house.run(20, [[ana, 0.9 * MB]]);
  expect(ana.passedBytes).toBeWithin(8_640_000, 8_670_000);
  expect(ana.told.at(-1)).toBe(100);
  const spent = ana.passed.length;
  house.clock.advance(500_000);
  expect((ana.passed.length - spent) * BODY_BYTES).toBeWithin(40_000, 70_000);
  const late = house.open("ana");
  late.push();
  house.clock.advance(1_000_000);
  expect(late.passed.length).toBe(1);
});

test("an account that comes back finds what it has used", () => {
  const house = new House();
  const before = house.open("ana");
  for (let at = 0; at < 11; at++) before.push();
  before.leg.close();
  const after = house.open("ana");
  after.push();
  expect([before.passed.length, after.passed.length]).toEqual([10, 0]);
});

test("what waits on a leg that closes is dropped, and no timer stays", () => {
  const house = new House();
  const ana = house.open("ana");
  for (let at = 0; at < 30; at++) ana.push();
  ana.leg.close();
  expect(house.clock.pending).toBe(0);
  house.clock.advance(1_000);
  expect(ana.passed.length).toBe(10);
});

test("0 turns the rate, the day's volume, or both off", () => {
  for (const limits of [
    { "limit-relay-rate": 0, "limit-relay-daily": 0 },
    { "limit-relay-rate": 0, "limit-relay-daily": 100 },
  ]) {
    const house = new House(limits);
    const ana = house.open("ana");
    for (let at = 0; at < 5_000; at++) ana.push();
    expect([ana.passed.length, ana.told, house.clock.pending]).toEqual([5_000, [], 0]);
  }
});

test("a quota smaller than one message passes it all the same, in its time", () => {
  const house = new House({ "limit-relay-rate": 0.001, "limit-relay-burst": 0 });
  const ana = house.open("ana");
  for (let at = 0; at < 4; at++) ana.push();
  expect(ana.passed.length).toBe(2);
  house.clock.advance(20_000);
  expect(ana.passed.length).toBe(4);
});

test("bad input 105: two nodes together relay an account's rate, beyond a second of it and each one's burst", async () => {
  const here = new House();
  const there = new House(small, here);
  const [ana, alsoAna, ben] = [here.open("ana"), there.open("ana"), there.open("ben")];
  await here.runTogether(20, [
    [ana, 5 * MB],
    [alsoAna, 5 * MB],
    [ben, 0.9 * MB],
  ]);
  expect((ana.passedBytes + alsoAna.passedBytes) / MB).toBeWithin(19, 22.3);
  expect(ana.passedBytes / alsoAna.passedBytes).toBeWithin(0.6, 1.6);
  expect(ben.passedBytes / MB).toBeWithin(17.9, 18.1);
  expect(ben.told).toEqual([]);
});

test("bad input 105: what two nodes relay within the quota together waits on neither", async () => {
  const here = new House();
  const there = new House(small, here);
  const [ana, alsoAna] = [here.open("ana"), there.open("ana")];
  await here.runTogether(10, [
    [ana, 0.45 * MB],
    [alsoAna, 0.45 * MB],
  ]);
  expect([ana.told, alsoAna.told]).toEqual([[], []]);
  expect((ana.passedBytes + alsoAna.passedBytes) / MB).toBeWithin(8.9, 9.1);
});

test("bad input 105: a day's volume is one over two nodes, and a node that starts again knows what was used", async () => {
  // 0.00864 GB a day come back at 100 bytes a second.
  const tight = { "limit-relay-rate": 1, "limit-relay-burst": 1, "limit-relay-daily": 0.00864 };
  const here = new House(tight);
  const there = new House(tight, here);
  const [ana, alsoAna] = [here.open("ana"), there.open("ana")];
  await here.runTogether(16, [
    [ana, 0.45 * MB],
    [alsoAna, 0.45 * MB],
  ]);
  expect(ana.passedBytes + alsoAna.passedBytes).toBeWithin(8_600_000, 9_600_000);
  for (const { leg } of [ana, alsoAna]) leg.close();
  await arrived();
  const again = new House(tight, here).open("ana");
  await arrived();
  again.push();
  expect([again.passed, again.told]).toEqual([[], [100]]);
});

test("what was relayed is told within a second, or at once when the last leg closes, and then no timer stays", async () => {
  const { clock, shared } = new House();
  const told: number[] = [];
  const watched = spending(shared, async (key, rate, bytes) => {
    if (key.startsWith("relay-day:")) told.push(bytes);
    return shared.buckets.spend(key, rate, bytes);
  });
  const ana = new House(small, { clock, shared: watched }).open("ana");
  await arrived();
  for (let at = 0; at < 3; at++) ana.push();
  clock.advance(999);
  expect(told).toEqual([0]);
  clock.advance(1);
  await arrived();
  expect([told, clock.pending]).toEqual([[0, 30_000], 0]);
  ana.push();
  ana.leg.close();
  await arrived();
  expect([told, clock.pending]).toEqual([[0, 30_000, 10_000], 0]);
});

test("a node that cannot tell what it relays says so and goes on alone", async () => {
  const { clock, shared } = new House();
  const lost = spending(shared, () => Promise.reject(new Error("lost")));
  const house = new House(small, { clock, shared: lost });
  const ana = house.open("ana");
  await house.runTogether(4, [[ana, 100 * MB]]);
  expect(ana.passedBytes / MB).toBeWithin(4, 4.2);
  expect(house.troubles.map(String)).toContain("Error: lost");
});

/** Limits whose buckets are spent otherwise. */
function spending(shared: SharedLimits, spend: RateBuckets["spend"]): SharedLimits {
  const { buckets } = shared;
  return {
    ...shared,
    buckets: {
      take: (...asked) => buckets.take(...asked),
      waitMs: (...asked) => buckets.waitMs(...asked),
      spend,
      [Symbol.asyncDispose]: () => buckets[Symbol.asyncDispose](),
    },
  };
}
