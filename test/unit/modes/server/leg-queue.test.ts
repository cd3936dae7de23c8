import { expect, test } from "bun:test";
import { LegQueue } from "../../../../src/modes/server/leg-queue.ts";
import { ManualClock } from "./manual-clock.ts";

/** A socket whose reader reads when the test says so. */
class SlowPort {
  readonly ip = "192.0.2.1";
  readonly sent: Uint8Array[] = [];
  queuedBytes = 0;
  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
    this.queuedBytes += bytes.length;
  }
  close(): void {
    throw new Error("the queue closes nothing by itself");
  }
}

const packets = (first: number) => new Uint8Array(16_384).fill(first);
const firsts = (port: SlowPort) => port.sent.map(([first]) => first);

test("LegQueue passes on at once what the socket takes", () => {
  const port = new SlowPort();
  const queue = new LegQueue(port, new ManualClock(), () => undefined);
  for (let at = 0; at < 4; at++) queue.push(packets(at));
  expect(firsts(port)).toEqual([0, 1, 2, 3]);
});

test("bad input 104: for a slow reader the newest 256 KiB wait, and the oldest go", () => {
  const port = new SlowPort();
  const queue = new LegQueue(port, new ManualClock(), () => undefined);
  for (let at = 0; at < 100; at++) queue.push(packets(at));
  expect(port.queuedBytes).toBe(65_536);
  port.queuedBytes = 0;
  queue.drained();
  expect(firsts(port)).toEqual([0, 1, 2, 3, 84, 85, 86, 87]);
  for (let turn = 0; turn < 10; turn++) {
    port.queuedBytes = 0;
    queue.drained();
  }
  expect(firsts(port).slice(4)).toEqual(Array.from({ length: 16 }, (_, at) => 84 + at));
});

test("bad input 36: a leg from which nothing goes out for 30 s is told of, once", () => {
  const [port, clock] = [new SlowPort(), new ManualClock()];
  let stalls = 0;
  const queue = new LegQueue(port, clock, () => stalls++);
  for (let at = 0; at < 10; at++) queue.push(packets(at));
  clock.advance(29_999);
  port.queuedBytes = 0;
  queue.drained();
  clock.advance(29_999);
  expect(stalls).toBe(0);
  clock.advance(1);
  expect(stalls).toBe(1);
  queue.stop();
  expect(clock.pending).toBe(0);
});

test("a leg that was read to its end is not waited for", () => {
  const [port, clock] = [new SlowPort(), new ManualClock()];
  const queue = new LegQueue(port, clock, () => undefined);
  queue.push(packets(1));
  port.queuedBytes = 0;
  queue.drained();
  expect(clock.pending).toBe(0);
});
