import { expect, test } from "bun:test";
import type { Clock } from "../../../../src/modes/runtime/clock.ts";
import { Drive } from "../../../../src/modes/runtime/driver.ts";
import type { Core, Transmit } from "../../../../src/wire/core.ts";

/** Time that moves when told to. */
class TestClock implements Clock {
  time = 0;
  #jobs: { at: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(delayMs: number, run: () => void): () => void {
    const job = { at: this.time + delayMs, run };
    this.#jobs.push(job);
    return () => {
      this.#jobs = this.#jobs.filter((each) => each !== job);
    };
  }

  soon(run: () => void): () => void {
    return this.after(0, run);
  }

  get pending(): number {
    return this.#jobs.length;
  }

  advance(toMs: number): void {
    while (this.step(toMs));
    this.time = toMs;
  }

  /** @returns whether there was something to be done by then */
  step(toMs = this.time): boolean {
    const next = this.#jobs.toSorted((a, b) => a.at - b.at)[0];
    if (next === undefined || next.at > toMs) return false;
    this.#jobs = this.#jobs.filter((each) => each !== next);
    this.time = Math.max(this.time, next.at);
    next.run();
    return true;
  }
}

/** Answers each datagram with an event and an echo, and ticks every second. */
class EchoCore implements Core<string, string> {
  readonly log: string[] = [];
  readonly #events: string[] = [];
  readonly out: Transmit<string>[] = [];
  nextTick = 1_000;

  handleDatagram(now: number, datagram: Uint8Array, from: string): void {
    this.log.push(`datagram ${now}`);
    if (datagram.length === 0) throw new Error("core");
    this.#events.push(`heard ${datagram[0]}`);
    this.say(datagram, from);
  }
  handleTimeout(now: number): void {
    this.log.push(`timeout ${now}`);
    if (now >= this.nextTick) this.nextTick = now + 1_000;
  }
  pollEvent(): string | null {
    return this.#events.shift() ?? null;
  }
  pollTransmit(now: number): Transmit<string> | null {
    this.log.push(`poll ${now}`);
    return this.out.shift() ?? null;
  }
  pollTimeout(): number | null {
    return this.nextTick;
  }
  say(bytes: Uint8Array, to: string): void {
    this.out.push({ bytes, to, segmentBytes: bytes.length });
  }
}

function setUp(handlers: { onEvent?: (event: string) => void; send?: (out: Transmit<string>) => boolean } = {}) {
  const clock = new TestClock();
  const core = new EchoCore();
  const seen: string[] = [];
  const faults: unknown[] = [];
  const controller = new AbortController();
  const drive = new Drive(core, {
    clock,
    signal: controller.signal,
    onFault: (error) => faults.push(error),
    onEvent: (event) => seen.push(event),
    send: (out) => seen.push(`sent ${out.bytes[0]} to ${out.to}`) > 0,
    ...handlers,
  });
  clock.advance(0);
  return { clock, core, seen, faults, drive, controller };
}

test("events are told before datagrams leave", () => {
  const { clock, drive, seen } = setUp();
  drive.handleDatagram(Uint8Array.of(7), "ana");
  expect(seen).toEqual([]);
  clock.advance(0);
  expect(seen).toEqual(["heard 7", "sent 7 to ana"]);
});

test("what arrives in one turn is flushed once", () => {
  const { clock, drive, core, seen } = setUp();
  core.log.length = 0;
  for (const byte of [1, 2, 3]) drive.handleDatagram(Uint8Array.of(byte), "ana");
  clock.advance(0);
  expect(seen.slice(0, 3)).toEqual(["heard 1", "heard 2", "heard 3"]);
  expect(core.log.filter((line) => line.startsWith("poll"))).toHaveLength(4 + 1);
});

test("who answers once promises have settled answers before anything leaves", async () => {
  const core = new EchoCore();
  const sent = Promise.withResolvers<void>();
  const drive: Drive<string, string> = new Drive(core, {
    onFault: sent.reject,
    onEvent: (event) => void Promise.resolve().then(() => answer(event)),
    send: ({ to }) => {
      core.log.push(`sent to ${to}`);
      if (core.out.length === 0) sent.resolve();
      return true;
    },
  });
  const answer = (event: string): void => {
    core.log.push(event);
    core.say(Uint8Array.of(99), "ben");
    drive.wake();
  };
  drive.handleDatagram(Uint8Array.of(1), "ana");
  await sent.promise;
  drive.stop();
  expect(core.log.filter((line) => !line.startsWith("poll") && !line.startsWith("datagram"))).toEqual([
    "heard 1",
    "sent to ana",
    "sent to ben",
  ]);
});

test("a command in a handler makes for one flush, not two", () => {
  const { clock, drive, core } = setUp({ onEvent: () => drive.wake() });
  core.log.length = 0;
  drive.handleDatagram(Uint8Array.of(1), "ana");
  clock.advance(0);
  // The echo, and twice nothing more.
  expect(core.log.filter((line) => line.startsWith("poll"))).toHaveLength(3);
  drive.handleDatagram(Uint8Array.of(2), "ana");
  clock.step();
  drive.stop();
  expect(clock.pending).toBe(0);
});

test("a turn that brings much is answered in the middle", () => {
  const { drive, seen } = setUp();
  drive.handleDatagram(new Uint8Array(200_000).fill(1), "ana");
  expect(seen).toEqual([]);
  drive.handleDatagram(new Uint8Array(65_000).fill(2), "ana");
  expect(seen).toEqual(["heard 1", "heard 2", "sent 1 to ana", "sent 2 to ana"]);
  drive.handleDatagram(new Uint8Array(65_000).fill(3), "ana");
  expect(seen).toHaveLength(4);
});

test("the core's deadline is kept, and only one timer is", () => {
  const { clock, core } = setUp();
  clock.advance(3_500);
  expect(core.log.filter((line) => line.startsWith("timeout"))).toEqual([
    "timeout 1000",
    "timeout 2000",
    "timeout 3000",
  ]);
  expect(clock.pending).toBe(1);
});

test("a command in a handler is carried out in the same flush", () => {
  const { clock, drive, core, seen } = setUp({
    onEvent: (event) => {
      seen.push(event);
      core.say(Uint8Array.of(99), "ben");
    },
  });
  drive.handleDatagram(Uint8Array.of(1), "ana");
  clock.advance(0);
  expect(seen).toEqual(["heard 1", "sent 1 to ana", "sent 99 to ben"]);
});

test("what a handler throws is reported, and the rest goes on", () => {
  const thrown = new Error("handler");
  const { clock, drive, seen, faults } = setUp({
    onEvent: () => {
      throw thrown;
    },
  });
  for (const byte of [1, 2]) drive.handleDatagram(Uint8Array.of(byte), "ana");
  clock.advance(0);
  expect(faults).toEqual([thrown, thrown]);
  expect(seen).toEqual(["sent 1 to ana", "sent 2 to ana"]);
});

test("what the core throws is reported, and the next datagram is handled", () => {
  const { clock, drive, seen, faults } = setUp();
  drive.handleDatagram(new Uint8Array(), "ana");
  drive.handleDatagram(Uint8Array.of(2), "ana");
  clock.advance(0);
  expect(faults).toHaveLength(1);
  expect(seen).toEqual(["heard 2", "sent 2 to ana"]);
});

test("a core whose timer throws does not spin", () => {
  const { clock, core, faults } = setUp();
  core.handleTimeout = () => {
    throw new Error("timer");
  };
  clock.advance(2_050);
  expect(faults).toHaveLength(11);
});

test("nothing more is asked of the core while there is no room, whatever comes in or is commanded, until drained()", () => {
  let room = false;
  const seen: string[] = [];
  const { clock, drive, core } = setUp({
    send: (out) => {
      seen.push(`${out.bytes[0]}`);
      return room;
    },
  });
  for (const byte of [1, 2]) drive.handleDatagram(Uint8Array.of(byte), "ana");
  clock.advance(0);
  drive.handleDatagram(Uint8Array.of(3), "ana");
  core.say(Uint8Array.of(4), "ben");
  drive.wake();
  core.nextTick = 0; // what is due and cannot leave must not spin
  core.handleTimeout = (now) => void core.log.push(`timeout ${now}`);
  clock.advance(10);
  expect(seen).toEqual(["1"]);
  expect(core.log.filter((line) => line.startsWith("timeout"))).toEqual(["timeout 5", "timeout 10"]);
  core.nextTick = 1_000;
  room = true;
  drive.drained();
  clock.advance(10);
  expect(seen).toEqual(["1", "2", "3", "4"]);
});

test("flush() says the last words at once, and after an abort nothing happens any more", () => {
  const { clock, drive, core, seen, controller } = setUp();
  core.say(Uint8Array.of(5), "ana");
  drive.flush();
  expect(seen).toEqual(["sent 5 to ana"]);
  controller.abort();
  core.say(Uint8Array.of(6), "ana");
  drive.handleDatagram(Uint8Array.of(7), "ana");
  drive.wake();
  drive.flush();
  clock.advance(10_000);
  expect(seen).toEqual(["sent 5 to ana"]);
  expect(clock.pending).toBe(0);
});

test("stop() in a handler is the end of what is told", () => {
  const seen: string[] = [];
  const { clock, drive } = setUp({
    onEvent: (event) => {
      seen.push(event);
      drive.stop();
    },
  });
  for (const byte of [1, 2]) drive.handleDatagram(Uint8Array.of(byte), "ana");
  clock.advance(0);
  expect(seen).toEqual(["heard 1"]);
});
