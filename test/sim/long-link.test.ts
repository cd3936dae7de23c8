import { expect, setDefaultTimeout, test } from "bun:test";
import { Bbr } from "../../src/wire/congestion/bbr.ts";
import { type SessionFlow, SharedLink } from "./shared-link.ts";

setDefaultTimeout(120_000);

/** 500 Mbit/s and 1 Mbit/s, as bytes per ms. */
const RATE = 62_500;
const MBIT = 125;
const RTT_MS = 50;
const SECONDS = 6;

/** A session on a link of 500 Mbit/s and 25 + 25 ms, whose queue holds one bandwidth-delay product. */
function longLink(loss: number): { link: SharedLink; flow: SessionFlow } {
  const link = new SharedLink({ seed: 1, rate: RATE, queueBytes: RATE * RTT_MS, loss });
  return { link, flow: link.session(RTT_MS, (random) => new Bbr(random)) };
}

test("a session gets 440 of 500 Mbit/s at 50 ms in its first 6 s, and hardly fills the queue while it starts", () => {
  const { link, flow } = longLink(0);
  flow.start();
  const [start = 0] = link.rates([flow], 10 * RTT_MS);
  expect(flow.stats.lostPackets).toBeLessThan(0.01 * flow.stats.sentPackets);
  // Of which the last two go at the full rate: it took about 8 round trips to get there.
  expect(start).toBeGreaterThan(0.2 * RATE);
  const [next = 0] = link.rates([flow], 2 * RTT_MS);
  expect(next).toBeGreaterThan(0.9 * RATE);
  const restMs = SECONDS * 1_000 - 12 * RTT_MS;
  const [rest = 0] = link.rates([flow], restMs);
  const mean = (start * 10 * RTT_MS + next * 2 * RTT_MS + rest * restMs) / (SECONDS * 1_000);
  expect(mean / MBIT).toBeGreaterThan(440);
});

test("a session gets 380 of 500 Mbit/s at 50 ms in its first 6 s where 1 % is lost each way", () => {
  const { link, flow } = longLink(0.01);
  flow.start();
  const [rate = 0] = link.rates([flow], SECONDS * 1_000);
  expect(rate / MBIT).toBeGreaterThan(380);
});
