import { expect, setDefaultTimeout, test } from "bun:test";
import type { SessionLimits } from "../../src/wire/session/session-limits.ts";
import { CHAT_STREAM } from "../../src/wire/session/stream-id.ts";
import { WindowPool } from "../../src/wire/session/tuned-window.ts";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

const small: Partial<SessionLimits> = {
  messageWindowBytes: 4_096,
  sessionWindowBytes: 60_000,
  bulkWindowBytes: 40_000,
  bulkBufferBytes: 80_000,
  streamBufferBytes: 60_000,
  windowGrowth: 1,
};

function openPair(seed: number, limits: Partial<SessionLimits>, link = links.home): SimPair {
  const pair = new SimPair(new SimNetwork(seed), { limits });
  pair.open(pair.addRoute(link));
  return pair;
}

test("a reader that does not read stops the writer at the stream's window, and write() says so", () => {
  const pair = openPair(1, small);
  pair.b.reads = false;
  const stream = pair.a.session.openStream("bulk");
  const taken = pair.a.do((session, now) => session.write(now, stream, new Uint8Array(1_000_000)));
  expect(taken).toBe(60_000);
  pair.network.runFor(10_000);
  expect(pair.a.session.bufferedBytes(stream)).toBe(20_000); // 40 000 were acknowledged
  expect(pair.a.do((session, now) => session.write(now, stream, new Uint8Array(1_000_000)))).toBe(40_000);
  pair.network.runFor(60_000);
  expect(pair.a.session.bufferedBytes(stream)).toBe(60_000);
  pair.b.reads = true;
  pair.b.drain(stream);
  pair.b.flush();
  pair.network.runUntil(() => pair.b.inbox(stream).bytes === 100_000, 5_000, "the rest");
  expect(pair.a.has("stream-writable")).toBe(true);
});

test("bulk streams together stay within the session's window while control and chat go on", () => {
  const pair = openPair(2, small);
  pair.b.reads = false;
  const streams = [1, 2, 3].map(() => pair.a.session.openStream("bulk"));
  for (const stream of streams) pair.a.do((session, now) => session.write(now, stream, new Uint8Array(25_000)));
  pair.network.runFor(10_000);
  const unread = streams.map((stream) => 25_000 - pair.a.session.bufferedBytes(stream));
  expect(unread.reduce((sum, bytes) => sum + bytes, 0)).toBe(60_000);
  pair.b.onEvent = (event) => {
    if (event.kind === "stream-readable" && event.stream === CHAT_STREAM) pair.b.drain(CHAT_STREAM);
  };
  const line = new Transfer(pair.a, CHAT_STREAM, pair.network.random.bytes(20_000), false);
  pair.network.runUntil(() => line.hasArrived(pair.b), 5_000, "the line");
});

test("small windows let everything through in the end, both ways at once", () => {
  const pair = openPair(3, small, { ...links.home, loss: 0.05 } as typeof links.home);
  const transfers = [pair.a, pair.b].flatMap((end) =>
    [1, 2, 3].map(() => ({
      to: end === pair.a ? pair.b : pair.a,
      transfer: new Transfer(end, end.session.openStream("bulk"), pair.network.random.bytes(200_000)),
    })),
  );
  pair.network.runUntil(() => transfers.every(({ transfer, to }) => transfer.hasArrived(to)), 60_000, "all of it");
});

test("bytes of a stream that is stopped or reset give their credit back", () => {
  const pair = openPair(4, small);
  pair.b.reads = false;
  for (let round = 0; round < 6; round++) {
    const stream = pair.a.session.openStream("bulk");
    pair.a.do((session, now) => session.write(now, stream, new Uint8Array(30_000)));
    pair.network.runFor(500);
    if (round % 2 === 0) pair.b.do((session, now) => session.stop(now, stream, 7));
    else pair.a.do((session, now) => session.reset(now, stream, 9));
    pair.network.runFor(500);
    if (round % 2 === 0) expect(pair.a.last("stream-stopped")).toMatchObject({ stream, code: 7 });
    else expect(pair.b.last("stream-reset")).toMatchObject({ stream, code: 9 });
    expect(pair.a.session.bufferedBytes(stream)).toBe(0);
  }
});

test("more streams than the other end allows wait, and are all carried", () => {
  const pair = openPair(5, {});
  pair.b.onEvent = (event) => {
    if (event.kind === "stream-opened") pair.b.session.finish(pair.network.now, event.stream);
  };
  const transfers = Array.from(
    { length: 300 },
    (_, index) => new Transfer(pair.a, pair.a.session.openStream("bulk"), new Uint8Array(100).fill(index)),
  );
  pair.network.runUntil(() => transfers.every((transfer) => transfer.hasArrived(pair.b)), 30_000, "all streams");
  const finished = () => pair.b.events.filter((event) => event.kind === "stream-finished").length;
  pair.network.runUntil(() => finished() === 300, 5_000, "all ends");
});

/** How long 2 MB take where a round trip could bring 300 KB. Milliseconds. */
function farTransferMs(limits: Partial<SessionLimits>): number {
  const pair = openPair(8, limits, { delayMs: 60, jitterMs: 0, rate: 2_500, queueBytes: 600_000 });
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(2_000_000));
  const { now } = pair.network;
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  return pair.network.now - now;
}

test("windows and buffers grow to what bandwidth and delay ask for, as far as they may", () => {
  const windows = { sessionWindowBytes: 67_000, bulkWindowBytes: 50_000 };
  const sixth = { ...windows, bulkBufferBytes: 67_000, streamBufferBytes: 50_000 };
  const [fixed = 0, twice = 0, free = 0] = [1, 2, 12].map((windowGrowth) => farTransferMs({ ...sixth, windowGrowth }));
  // A window goes round once in 120 ms.
  expect(fixed).toBeGreaterThan((2_000_000 / 50_000) * 120 * 0.9);
  expect(twice).toBeLessThan(fixed * 0.7);
  expect(twice).toBeGreaterThan(fixed * 0.4);
  expect(free).toBeLessThan(twice * 0.8);
  expect(free).toBeLessThan(2.5 * farTransferMs({}));
});

test("what the windows of sessions grow by is bounded together, and free again when they are over", () => {
  const pool = new WindowPool(300_000);
  const left = (): number => {
    const bytes = pool.take(Number.POSITIVE_INFINITY);
    pool.giveBack(bytes);
    return bytes;
  };
  const limits = {
    sessionWindowBytes: 67_000,
    bulkWindowBytes: 50_000,
    bulkBufferBytes: 67_000,
    streamBufferBytes: 50_000,
    windowGrowth: 8,
  };
  const pairs = [13, 14].map((seed) => {
    const pair = new SimPair(new SimNetwork(seed), { limits, session: { windowPool: pool } });
    pair.open(pair.addRoute({ delayMs: 60, rate: 2_500, queueBytes: 600_000 }));
    const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), new Uint8Array(2_000_000));
    pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
    return pair;
  });
  expect(left()).toBe(0);
  for (const pair of pairs) {
    pair.a.do((session, now) => session.close(now, "cancelled", ""));
    pair.network.runUntil(() => pair.b.has("closed"), 5_000, "the end");
  }
  expect(left()).toBe(300_000);
});

test("files share a path evenly, whoever began first and however much is in the buffer", () => {
  const pair = openPair(10, {});
  const { network } = pair;
  const begin = () => new Transfer(pair.a, pair.a.session.openStream("bulk"), new Uint8Array(6_000_000));
  const bytesOf = ({ stream }: Transfer) => pair.b.inbox(stream).bytes;
  const first = begin();
  network.runFor(1_000);
  const others = [begin(), begin()];
  network.runFor(200);
  const before = [first, ...others].map(bytesOf);
  network.runFor(1_500);
  const shares = [first, ...others].map((file, index) => bytesOf(file) - (before[index] ?? 0));
  const all = shares.reduce((sum, bytes) => sum + bytes, 0);
  expect(all).toBeGreaterThan(2_000_000);
  for (const bytes of shares) expect(bytes / all).toBeCloseTo(1 / 3, 1);
});

test("a file whose reader has stopped reading does not stop another", () => {
  const pair = openPair(11, small);
  const { network } = pair;
  const stuck = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(200_000));
  pair.b.reads = false;
  pair.b.onEvent = (event) => {
    if (event.kind === "stream-readable" && event.stream !== stuck.stream) pair.b.drain(event.stream);
  };
  network.runFor(3_000);
  const other = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(300_000));
  network.runUntil(() => other.hasArrived(pair.b), 10_000, "the other file");
  expect(pair.b.inbox(stuck.stream).bytes).toBe(0);
  pair.b.drain(stuck.stream);
  pair.b.reads = true;
  pair.b.flush();
  network.runUntil(() => stuck.hasArrived(pair.b), 10_000, "the first");
});

test("one half of a stream ends and the other goes on, both ways, under loss", () => {
  const pair = openPair(12, {}, { ...links.home, loss: 0.1 } as typeof links.home);
  const { network } = pair;
  const asked = new Transfer(pair.a, pair.a.session.openStream("bulk"), network.random.bytes(5_000));
  network.runUntil(() => pair.b.inbox(asked.stream).isFinished, 10_000, "the question");
  network.runFor(2_000);
  const answer = new Transfer(pair.b, asked.stream, network.random.bytes(500_000));
  network.runUntil(() => pair.a.inbox(asked.stream).isFinished, 20_000, "the answer");
  expect([asked.hasArrived(pair.b), answer.hasArrived(pair.a)]).toEqual([true, true]);
  expect(pair.a.session.write(network.now, asked.stream, Uint8Array.of(1))).toBe(0);
});

test("bad input 129: a peer that never acknowledges is sent no more than the window, and write() takes no more than the buffer", () => {
  const pair = openPair(6, small);
  pair.setServer(false);
  pair.b.tap = () => null;
  const stream = pair.a.session.openStream("bulk");
  const before = pair.a.session.stats().sentBytes;
  let taken = 0;
  for (let round = 0; round < 100; round++) {
    taken += pair.a.do((session, now) => session.write(now, stream, new Uint8Array(10_000)));
    pair.network.runFor(1_000);
  }
  expect(taken).toBe(60_000);
  expect(pair.a.session.stats().sentBytes - before).toBeLessThan(200_000);
  pair.network.runFor(4_000_000);
  expect(pair.a.last("closed")).toMatchObject({ remote: false });
});

/** How long each line takes that is said every 15 ms, 400 of them, while a file fills the path. Ascending, in milliseconds. */
function chatDelays(seed: number, link: LinkOptions & { readonly rate: number }): number[] {
  const network = new SimNetwork(seed);
  const pair = new SimPair(network);
  pair.open(pair.addRoute(link));
  const file = new Transfer(pair.a, pair.a.session.openStream("bulk"), new Uint8Array(link.rate * 9_000));
  network.runFor(1_500);
  const waiting: { readonly end: number; readonly sentAt: number }[] = [];
  const delays: number[] = [];
  for (let [said, total] = [0, 0]; delays.length < 400; network.runFor(1)) {
    if (said < 400 && network.now >= 1_500 + 15 * said) {
      const bytes = network.random.between(20, 400);
      said++;
      waiting.push({ end: (total += bytes), sentAt: network.now });
      pair.a.do((session, now) => session.write(now, CHAT_STREAM, network.random.bytes(bytes)));
    }
    const arrived = pair.b.inbox(CHAT_STREAM).bytes;
    for (let line = waiting[0]; line !== undefined && line.end <= arrived; line = waiting[0]) {
      delays.push(network.now - line.sentAt);
      waiting.shift();
    }
  }
  expect(pair.b.inbox(file.stream).isFinished).toBe(false);
  return delays.toSorted((a, b) => a - b);
}

for (const [what, link, runs] of [
  ["20 Mbit/s", links.home, 1],
  ["50 Mbit/s behind a deep queue", { delayMs: 25, rate: 6_250, queueBytes: 300_000 }, 1],
  // Chance, which packets are lost, decides of each run; the middle one of many does not change with the order of the dice.
  ["a mobile network, in the middle one of 31 runs", links.cellular, 31],
] as const)
  test(`of 400 lines said while a file fills the same path 99 % wait less than 60 ms beyond the round trip, and half less than 10: ${what}`, () => {
    const all = Array.from({ length: runs }, (_, run) => chatDelays(7 + run, link));
    const middle = (share: number) =>
      all.map((delays) => delays[Math.floor(delays.length * share)] ?? Infinity).toSorted((a, b) => a - b)[
        (runs - 1) / 2
      ];
    expect(middle(0.99)).toBeLessThan(2 * link.delayMs + 60);
    expect(middle(0.5)).toBeLessThan(2 * link.delayMs + 10);
  });
