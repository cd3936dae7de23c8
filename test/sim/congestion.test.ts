import { expect, setDefaultTimeout, test } from "bun:test";
import { Bbr } from "../../src/wire/congestion/bbr.ts";
import { CHAT_STREAM } from "../../src/wire/session/stream-id.ts";
import { BareFlow } from "./bare-flow.ts";
import type { Link, LinkOptions } from "./link.ts";
import { SimNetwork } from "./network.ts";
import { SimPair } from "./pair.ts";

setDefaultTimeout(60_000);

/** 100 Mbit/s and its bandwidth-delay product at 40 ms, as bytes per ms and bytes. */
const RATE = 12_500;
const DELAY_MS = 20;
const BDP_BYTES = RATE * 2 * DELAY_MS;

interface Line {
  readonly network: SimNetwork;
  readonly flow: BareFlow;
  readonly forth: Link;
  /** Share of the rate that gets through in the next time. */
  readonly used: (ms: number) => number;
}

function line(options: Partial<LinkOptions> = {}): Line {
  const network = new SimNetwork(1);
  const link: LinkOptions = { delayMs: DELAY_MS, rate: RATE, queueBytes: BDP_BYTES, ...options };
  const forth = network.link(link);
  const back = network.link({ delayMs: link.delayMs });
  const flow = new BareFlow(network, forth, back, new Bbr(network.random.fork().bytes));
  const used = (ms: number): number => {
    const before = flow.receivedBytes;
    network.runFor(ms);
    return (flow.receivedBytes - before) / (link.rate ?? RATE) / ms;
  };
  return { network, flow, forth, used };
}

test("a path fills within 8 round trips, and without overflowing a queue of 1.5 bandwidth-delay products", () => {
  const { flow, forth, used } = line({ queueBytes: 1.5 * BDP_BYTES });
  flow.send();
  used(8 * 2 * DELAY_MS);
  expect(used(2 * DELAY_MS)).toBeGreaterThan(0.9);
  used(2_000);
  expect(forth.lostPackets).toBe(0);
});

test("after a pause a path goes on at the rate it had, without a burst and without a new start", () => {
  for (const pauseMs of [1_000, 8_000, 60_000]) {
    const { network, flow, forth, used } = line();
    flow.send();
    used(5_000);
    flow.pause();
    network.runFor(pauseMs);
    const [lost, sent] = [forth.lostPackets, forth.sentBytes];
    flow.send();
    network.runFor(1);
    expect(forth.sentBytes - sent).toBeLessThan(4 * RATE);
    network.runFor(2 * DELAY_MS);
    expect(used(200)).toBeGreaterThan(0.85);
    expect(forth.lostPackets).toBe(lost);
  }
});

test("a path that carried little for long is not taken for a slow one", () => {
  const { network, flow, used } = line();
  flow.send();
  used(5_000);
  flow.pause();
  for (let drip = 0; drip < 600; drip++) {
    flow.send(12_000);
    network.runFor(100);
  }
  flow.send();
  network.runFor(2 * DELAY_MS);
  expect(used(500)).toBeGreaterThan(0.85);
});

test("a rate that falls to a tenth and comes back is found again, within 10 and 15 s", () => {
  const { network, flow, forth } = line();
  const rates = (ms: number): number => {
    const before = flow.receivedBytes;
    network.runFor(ms);
    return (flow.receivedBytes - before) / ms;
  };
  flow.send();
  rates(5_000);
  forth.options = { ...forth.options, rate: RATE / 10 };
  rates(10_000);
  const lost = forth.lostPackets;
  expect(rates(5_000)).toBeGreaterThan(0.9 * (RATE / 10));
  expect(forth.lostPackets - lost).toBeLessThan(0.03 * ((5_000 * RATE) / 10 / 1_200));
  forth.options = { ...forth.options, rate: RATE };
  rates(15_000);
  expect(rates(2_000)).toBeGreaterThan(0.85 * RATE);
});

test("packets that overtake each other cost a path little of its rate, and losses that were none are taken back", () => {
  for (const options of [{ jitterMs: 10 }, { reorder: 0.01 }, { jitterMs: 4, reorder: 0.05 }]) {
    const { network, flow, used } = line(options);
    flow.send();
    network.runFor(5_000);
    expect(used(10_000)).toBeGreaterThan(0.85);
  }
});

test("a path of 25 MB goes full: 1 Gbit/s at 200 ms", () => {
  const rate = 125_000;
  const { network, flow, used } = line({ delayMs: 100, rate, queueBytes: rate * 200 });
  flow.send();
  network.runFor(2_500);
  expect(used(500)).toBeGreaterThan(0.9);
});

test("words of 64 bytes make their round trip in 5 ms, 99 of 100, where 1 % is lost each way and the path has 0.1 ms", () => {
  const network = new SimNetwork(1);
  const pair = new SimPair(network, { server: null });
  pair.open(pair.addRoute({ delayMs: 0.05, loss: 0.01, rate: 125_000, queueBytes: 1_000_000 }));
  pair.b.onEvent = (event) => {
    if (event.kind !== "stream-readable" || event.stream !== CHAT_STREAM) return;
    for (let part = pair.b.session.read(CHAT_STREAM); part !== null; part = pair.b.session.read(CHAT_STREAM)) {
      pair.b.session.consumed(pair.b.now, CHAT_STREAM, part.length);
      pair.b.session.write(pair.b.now, CHAT_STREAM, part.slice());
    }
  };
  const times: number[] = [];
  for (let trip = 1; trip <= 2_000; trip++) {
    const sentAt = network.now;
    pair.a.do((session, now) => session.write(now, CHAT_STREAM, new Uint8Array(64)));
    network.runUntil(() => pair.a.inbox(CHAT_STREAM).bytes === 64 * trip, 5_000, "the answer");
    times.push(network.now - sentAt);
    network.runFor(1 + network.random.fraction() * 10);
  }
  times.sort((a, b) => a - b);
  expect(times[Math.floor(0.5 * times.length)]).toBeLessThan(0.2);
  expect(times[Math.floor(0.99 * times.length)]).toBeLessThan(5);
});
