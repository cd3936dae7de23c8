import { expect, test } from "bun:test";
import { pingAway, type PingAwayOptions } from "../../../../../src/modes/peer/commands/ping-away.ts";
import type { PathInfo } from "../../../../../src/modes/peer/peer-session.ts";
import type { Clock } from "../../../../../src/modes/runtime/clock.ts";

const relayed: PathInfo = { kind: "relay-ws", remote: "192.0.2.1:7420", rttMs: 50, why: "" };
const direct: PathInfo = { kind: "direct", remote: "203.0.113.7:4000", rttMs: 20, why: "" };

/** A session whose answers take no time, and a clock that goes on when it is waited for. */
class Bench implements Clock {
  path = relayed;
  relayedBecause: { cause: string; remedy: string; isFinal: boolean } | null = null;
  readonly pongs: string[] = [];
  /** When each ping went out. Milliseconds. */
  readonly sentAt: number[] = [];
  /** What happens before the n-th ping, from 1. */
  readonly before = new Map<number, () => void>();
  #nowMs = 0;

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const at = this.#nowMs + delayMs;
    // Behind the ping of the same turn.
    const timer = setImmediate(() => {
      this.#nowMs = Math.max(this.#nowMs, at);
      run();
    });
    return () => clearImmediate(timer);
  }

  soon(run: () => void): () => void {
    return this.after(0, run);
  }

  ping(): Promise<number> {
    this.sentAt.push(this.#nowMs);
    this.before.get(this.sentAt.length)?.();
    return Promise.resolve(1);
  }

  run(options: Partial<PingAwayOptions>): Promise<number> {
    const onPong = (_: number, { kind }: PathInfo): void => void this.pongs.push(kind);
    const signal = new AbortController().signal;
    return pingAway(this, { count: 4, untilDirect: false, signal, onPong, clock: this, ...options });
  }
}

test("pingAway() pings as often as it is told to, a second apart", async () => {
  const bench = new Bench();
  expect(await bench.run({ count: 3 })).toBe(3);
  expect(bench.sentAt).toEqual([0, 1_000, 2_000]);
});

test("pingAway() until direct ends with the first answer that came directly", async () => {
  const bench = new Bench();
  bench.before.set(3, () => (bench.path = direct));
  expect(await bench.run({ untilDirect: true, count: 1 })).toBe(3);
  expect(bench.pongs).toEqual(["relay-ws", "relay-ws", "direct"]);
});

test("pingAway() until direct ends after 30, and at once where no direct path can come", async () => {
  const [hopeful, hopeless] = [new Bench(), new Bench()];
  expect(await hopeful.run({ untilDirect: true })).toBe(30);
  const reason = { cause: "UDP is blocked on their side", remedy: "", isFinal: false };
  hopeless.before.set(2, () => (hopeless.relayedBecause = reason));
  hopeless.before.set(5, () => (hopeless.relayedBecause = { ...reason, isFinal: true }));
  expect(await hopeless.run({ untilDirect: true })).toBe(5);
});

test("pingAway() that is not waiting for a direct path does not end with it", async () => {
  const bench = new Bench();
  bench.path = direct;
  expect(await bench.run({ count: 2 })).toBe(2);
});

test("pingAway() ends with the signal", async () => {
  const [bench, controller] = [new Bench(), new AbortController()];
  bench.before.set(2, () => controller.abort(new Error("enough")));
  await expect(bench.run({ signal: controller.signal })).rejects.toThrow("enough");
  expect(bench.sentAt).toHaveLength(2);
});
