import { expect, test } from "bun:test";
import { VitalSigns } from "../../../../../src/modes/peer/chat/vital-signs.ts";
import type { Clock } from "../../../../../src/modes/runtime/clock.ts";

/** The other end of a session, who answers while it is there, and time in steps of a second. */
class Bench implements Clock {
  readonly signs: VitalSigns;
  isThere = true;
  pings = 0;
  changes = 0;
  #nowMs = 50_000;
  #run: (() => void) | null = null;
  #waiting: ((rttMs: number) => void)[] = [];
  #away: () => void = () => undefined;

  constructor() {
    const session = { ping: () => this.#ping(), onAway: (handler: () => void) => void (this.#away = handler) };
    this.signs = new VitalSigns(session, this, () => (this.changes += 1));
  }

  get isWaiting(): boolean {
    return this.#run !== null;
  }

  now(): number {
    return this.#nowMs;
  }

  soon(run: () => void): () => void {
    return this.after(0, run);
  }

  after(_delayMs: number, run: () => void): () => void {
    this.#run = run;
    return () => void (this.#run = null);
  }

  async pass(seconds: number): Promise<void> {
    for (let at = 0; at < seconds; at++) {
      this.#nowMs += 1_000;
      this.#run?.();
      await Promise.resolve();
    }
  }

  /** What was asked meanwhile is answered, as a session does that repeats it. */
  async comeBack(): Promise<void> {
    this.isThere = true;
    for (const answer of this.#waiting.splice(0)) answer(1);
    await Promise.resolve();
  }

  loseServer(): void {
    this.#away();
  }

  #ping(): Promise<number> {
    this.pings += 1;
    return this.isThere ? Promise.resolve(1) : new Promise((resolve) => void this.#waiting.push(resolve));
  }
}

test("VitalSigns: whoever answers is there, and is asked every five seconds", async () => {
  const bench = new Bench();
  await bench.pass(60);
  expect(bench.signs.silentMs).toBeNull();
  expect(bench.pings).toBe(12);
});

test("VitalSigns: after ten seconds without a sign they are silent, each second is a change, and one ping waits", async () => {
  const bench = new Bench();
  bench.isThere = false;
  await bench.pass(9);
  expect([bench.signs.silentMs, bench.changes]).toEqual([null, 0]);
  await bench.pass(3);
  expect([bench.signs.silentMs, bench.changes, bench.pings]).toEqual([12_000, 3, 1]);
});

test("VitalSigns: when they are back the silence is over at once", async () => {
  const bench = new Bench();
  bench.isThere = false;
  await bench.pass(100);
  const { changes } = bench;
  await bench.comeBack();
  expect([bench.signs.silentMs, bench.changes]).toEqual([null, changes + 1]);
  await bench.pass(60);
  expect(bench.signs.silentMs).toBeNull();
});

test("VitalSigns: who lost the server and does not answer is silent after two seconds", async () => {
  const bench = new Bench();
  bench.isThere = false;
  bench.loseServer();
  await bench.pass(1);
  expect(bench.signs.silentMs).toBeNull();
  await bench.pass(1);
  expect(bench.signs.silentMs).toBe(2_000);
  await bench.comeBack();
  expect(bench.signs.silentMs).toBeNull();
});

test("VitalSigns: who lost the server and answers on a path of their own is there", async () => {
  const bench = new Bench();
  bench.loseServer();
  await bench.pass(3);
  expect(bench.signs.silentMs).toBeNull();
});

test("VitalSigns: nothing is put off any more when it is disposed of", () => {
  const bench = new Bench();
  expect(bench.isWaiting).toBe(true);
  bench.signs[Symbol.dispose]();
  expect(bench.isWaiting).toBe(false);
});
