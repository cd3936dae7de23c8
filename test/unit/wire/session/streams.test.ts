import { expect, test } from "bun:test";
import { EventQueue, type SessionEvent } from "../../../../src/wire/session/events.ts";
import type { StreamChunk } from "../../../../src/wire/session/sent-packets.ts";
import { type SessionLimits, sessionLimits } from "../../../../src/wire/session/session-limits.ts";
import { Streams } from "../../../../src/wire/session/streams.ts";
import { WindowPool } from "../../../../src/wire/session/tuned-window.ts";

class End {
  readonly queue = new EventQueue();
  readonly streams: Streams;
  /** What the path may have in flight. Bytes. */
  flightBytes = 0;
  constructor(isInitiator: boolean, limits: Partial<SessionLimits> = {}) {
    this.streams = new Streams(isInitiator, { ...sessionLimits, ...limits }, this.queue, {
      flightBytes: () => this.flightBytes,
      rttMs: () => 100,
      pool: new WindowPool(10_000),
    });
  }
  events(): SessionEvent[] {
    const events: SessionEvent[] = [];
    for (let event = this.queue.shift(); event !== null; event = this.queue.shift()) events.push(event);
    return events;
  }
}

/** Brings everything that is pending over, and acknowledges it. */
function exchange(from: End, to: End): StreamChunk[] {
  const chunks: StreamChunk[] = [];
  for (let frame = from.streams.frames.take(); frame !== null; frame = from.streams.frames.take()) {
    to.streams.onFrame(frame);
    from.streams.onFrameAcked(frame);
  }
  for (const cls of ["control", "chat", "bulk"] as const)
    for (let chunk = from.streams.nextChunk(cls, 1_000); chunk !== null; chunk = from.streams.nextChunk(cls, 1_000)) {
      const data = new Uint8Array(chunk.length);
      from.streams.copyTo(chunk, data, 0);
      to.streams.onData(chunk.stream, chunk.offset, chunk.fin, data);
      from.streams.onChunkAcked(chunk);
      chunks.push(chunk);
    }
  return chunks;
}

test("stream ids tell opener and class, and the well-known ones are there from the start", () => {
  const [a, b] = [new End(true), new End(false)];
  expect([a.streams.open("bulk"), a.streams.open("bulk"), a.streams.open("control"), a.streams.open("chat")]).toEqual([
    4, 12, 8, 10,
  ]);
  expect([b.streams.open("bulk"), b.streams.open("control"), b.streams.open("chat")]).toEqual([5, 1, 3]);
  for (const end of [a, b])
    expect([end.streams.write(0, new Uint8Array(3)), end.streams.write(2, new Uint8Array(3))]).toEqual([3, 3]);
});

test("a stream that comes before one of a lower number opens both", () => {
  const end = new End(true);
  end.streams.onData(5 + 8, 0, false, Uint8Array.of(1));
  expect(end.events()).toEqual([
    { kind: "stream-opened", stream: 5, class: "bulk" },
    { kind: "stream-opened", stream: 13, class: "bulk" },
    { kind: "stream-readable", stream: 13 },
  ]);
});

test("stream-readable comes once until all is read", () => {
  const end = new End(true);
  end.streams.onData(2, 0, false, Uint8Array.of(1));
  end.streams.onData(2, 1, false, Uint8Array.of(2));
  expect(end.events()).toHaveLength(1);
  end.streams.read(2);
  expect(end.streams.read(2)).toBeNull();
  end.streams.onData(2, 2, false, Uint8Array.of(3));
  expect(end.events()).toEqual([{ kind: "stream-readable", stream: 2 }]);
});

test("stream-acked comes when all that was written is acknowledged, stream-finished when all was read", () => {
  const [a, b] = [new End(true), new End(false)];
  const stream = a.streams.open("bulk");
  a.streams.write(stream, new Uint8Array(2_500));
  exchange(a, b);
  expect(a.events()).toEqual([{ kind: "stream-acked", stream, finished: false }]);
  a.streams.finish(stream);
  exchange(a, b);
  expect(a.events()).toEqual([{ kind: "stream-acked", stream, finished: true }]);
  expect(b.events().map(({ kind }) => kind)).toEqual(["stream-opened", "stream-readable"]);
  while (b.streams.read(stream) !== null);
  expect(b.events()).toEqual([{ kind: "stream-finished", stream }]);
});

test("bulk streams take turns", () => {
  const end = new End(true);
  const streams = [1, 2, 3].map(() => end.streams.open("bulk"));
  for (const stream of streams) end.streams.write(stream, new Uint8Array(500));
  const order = Array.from({ length: 6 }, () => end.streams.nextChunk("bulk", 100)?.stream);
  expect(order).toEqual([...streams, ...streams]);
});

test("write() takes what fits, and stream-writable comes when a quarter is free again", () => {
  const limits = { bulkBufferBytes: 1_000, streamBufferBytes: 800 };
  const [a, b] = [new End(true, limits), new End(false)];
  const [one, two] = [a.streams.open("bulk"), a.streams.open("bulk")];
  expect([a.streams.write(one, new Uint8Array(2_000)), a.streams.write(two, new Uint8Array(2_000))]).toEqual([
    800, 200,
  ]);
  expect(a.streams.bufferedBytes(one)).toBe(800);
  exchange(a, b);
  const writable = a.events().flatMap((event) => (event.kind === "stream-writable" ? [event.stream] : []));
  expect(writable.toSorted((x, y) => x - y)).toEqual([one, two]);
  expect(a.streams.write(one, new Uint8Array(2_000))).toBe(800);
});

test("write() takes nothing, and no less, where the buffer has shrunk below what it holds", () => {
  const limits = { bulkBufferBytes: 2_000, streamBufferBytes: 400, windowGrowth: 1 };
  const [a, b] = [new End(true, limits), new End(false)];
  const [one, two] = [a.streams.open("bulk"), a.streams.open("bulk")];
  a.flightBytes = 1_000;
  expect(a.streams.write(one, new Uint8Array(1_200))).toBe(1_200);
  a.flightBytes = 100; // as when the path is probed for its round trip, or another one is taken
  expect([a.streams.write(one, new Uint8Array(1_000)), a.streams.bufferedBytes(one)]).toEqual([0, 1_200]);
  expect(a.streams.write(two, new Uint8Array(1_000))).toBe(400);
  exchange(a, b);
  expect(a.events()).toContainEqual({ kind: "stream-writable", stream: one });
});

test("commands on streams that are gone, or never were, do nothing", () => {
  const end = new End(true);
  expect(end.streams.write(44, new Uint8Array(5))).toBe(0);
  expect(end.streams.read(44)).toBeNull();
  for (const command of ["finish", "reset", "stop"] as const) end.streams[command](44, 1);
  end.streams.consumed(0, 44, 1);
  expect([end.streams.bufferedBytes(44), end.streams.frames.isEmpty, end.events()]).toEqual([0, true, []]);
});

test("a stream is forgotten when both halves are done, and late frames about it are passed over", () => {
  const [a, b] = [new End(true), new End(false)];
  const stream = a.streams.open("bulk");
  a.streams.write(stream, new Uint8Array(100));
  a.streams.finish(stream);
  exchange(a, b);
  b.streams.finish(stream);
  exchange(b, a);
  b.streams.consumed(0, stream, b.streams.read(stream)?.length ?? 0);
  for (const end of [a, b]) {
    end.events();
    end.streams.onData(stream, 0, true, new Uint8Array(100));
    end.streams.onFrame({ kind: "stopSending", stream, code: 1 });
    end.streams.onFrame({ kind: "maxStream", stream, bytes: 5 });
    expect([end.streams.read(stream), end.events(), end.streams.frames.isEmpty]).toEqual([null, [], true]);
  }
});

test("credit that got lost on its way is told again, as it is by then", () => {
  const limits = { sessionWindowBytes: 1_000, bulkWindowBytes: 1_000 };
  const end = new End(true, limits);
  const take = (from: number, length: number) => {
    end.streams.onData(5, from, false, new Uint8Array(length));
    while (end.streams.read(5) !== null);
    end.streams.consumed(0, 5, length);
  };
  take(0, 400);
  const [session, stream] = [end.streams.frames.take(), end.streams.frames.take()];
  expect([session, stream, end.streams.frames.take()]).toEqual([
    { kind: "maxSession", bytes: 1_400 },
    { kind: "maxStream", stream: 5, bytes: 1_400 },
    null,
  ]);
  take(400, 300);
  while (end.streams.frames.take() !== null);
  if (session !== null) end.streams.frames.onLost(session);
  if (stream !== null) end.streams.frames.onLost(stream);
  expect([end.streams.frames.take(), end.streams.frames.take()]).toEqual([
    { kind: "maxSession", bytes: 1_700 },
    { kind: "maxStream", stream: 5, bytes: 1_700 },
  ]);
});

test("where a round trip brings much, bulk streams and their sum get more credit alike, and message streams do not", () => {
  const end = new End(true, { sessionWindowBytes: 1_600, bulkWindowBytes: 1_200, messageWindowBytes: 1_000 });
  const take = (now: number, stream: number, from: number, length: number) => {
    end.streams.onData(stream, from, false, new Uint8Array(length));
    while (end.streams.read(stream) !== null);
    end.streams.consumed(now, stream, length);
  };
  for (const from of [0, 500, 1_000]) take(from / 10, 5, from, 500);
  const told: unknown[] = [];
  for (let frame = end.streams.frames.take(); frame !== null; frame = end.streams.frames.take()) told.push(frame);
  // 1 000 bytes in one round trip: 2 000 ahead in all, and three quarters of that on the stream.
  expect(told).toEqual([
    { kind: "maxSession", bytes: 1_500 + 2_000 },
    { kind: "maxStream", stream: 5, bytes: 1_500 + 1_500 },
  ]);
  for (const [at, from] of [0, 500].entries()) take(200 + 100 * at, 2, from, 500);
  expect(end.streams.frames.take()).toEqual({ kind: "maxStream", stream: 2, bytes: 2_000 });
});

test("write() takes more where the path may have more in flight, twice as much at most, and no more of a message stream", () => {
  const end = new End(true, { bulkBufferBytes: 1_000, streamBufferBytes: 800, messageWindowBytes: 500 });
  const taken = (flightBytes: number) => {
    end.flightBytes = flightBytes;
    return end.streams.write(end.streams.open("bulk"), new Uint8Array(9_000));
  };
  expect([taken(0), taken(0), taken(0)]).toEqual([800, 200, 0]);
  expect([taken(1_500), taken(9_000)]).toEqual([1_000, 0]);
  expect(end.streams.write(2, new Uint8Array(9_000))).toBe(500);
});

test("write() takes one and a half flights for one stream, and leaves a quarter of the buffer for others", () => {
  const end = new End(true, { bulkBufferBytes: 1_000, streamBufferBytes: 300 });
  const stream = end.streams.open("bulk");
  const taken = (flightBytes: number) => {
    end.flightBytes = flightBytes;
    return end.streams.write(stream, new Uint8Array(9_000));
  };
  expect([taken(0), taken(300), taken(400), taken(9_000)]).toEqual([300, 150, 150, 900]);
});

test("a reset that got lost is said again until it is acknowledged", () => {
  const end = new End(true);
  const stream = end.streams.open("bulk");
  end.streams.write(stream, new Uint8Array(300));
  end.streams.nextChunk("bulk", 100);
  end.streams.reset(stream, 9);
  const frame = end.streams.frames.take();
  expect(frame).toEqual({ kind: "resetStream", stream, finalBytes: 100, code: 9 });
  if (frame !== null) end.streams.frames.onLost(frame);
  expect(end.streams.frames.take()).toEqual(frame);
  expect(end.streams.nextChunk("bulk", 100)).toBeNull();
});

test("stopSending is answered by a reset with its code", () => {
  const [a, b] = [new End(true), new End(false)];
  const stream = a.streams.open("bulk");
  a.streams.write(stream, new Uint8Array(300));
  exchange(a, b);
  b.streams.stop(stream, 5);
  exchange(b, a);
  expect(a.events()).toContainEqual({ kind: "stream-stopped", stream, code: 5 });
  expect(a.streams.write(stream, new Uint8Array(1))).toBe(0);
  exchange(a, b);
  expect(b.events()).toContainEqual({ kind: "stream-reset", stream, code: 5 });
});
