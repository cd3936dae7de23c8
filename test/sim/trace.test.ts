import { expect, setDefaultTimeout, test } from "bun:test";
import type { TraceEvent } from "../../src/wire/session/trace.ts";
import { SimNetwork } from "./network.ts";
import { links, SimPair } from "./pair.ts";
import { Transfer } from "./transfer.ts";

setDefaultTimeout(60_000);

type Kind = TraceEvent["kind"];

/** A transfer over a lossy path with new keys on the way, and what was traced of it. */
function traced(seed: number) {
  const events: TraceEvent[] = [];
  const times: number[] = [];
  const trace = (now: number, event: TraceEvent): void => {
    times.push(now);
    events.push(structuredClone(event));
  };
  const pair = new SimPair(new SimNetwork(seed), { trace, limits: { rekeyAfterPackets: 200 } });
  pair.open(pair.addRoute({ ...links.home, loss: 0.03 }));
  const transfer = new Transfer(pair.a, pair.a.session.openStream("bulk"), pair.network.random.bytes(600_000));
  pair.network.runUntil(() => transfer.hasArrived(pair.b), 60_000, "the transfer");
  const of = <K extends Kind>(kind: K) =>
    events.filter((event): event is Extract<TraceEvent, { kind: K }> => event.kind === kind);
  return { pair, transfer, events, times, of };
}

test("a trace has every packet once, by path and number", () => {
  const { pair, of } = traced(1);
  const sent = of("packet-sent");
  expect(new Set(sent.map(({ path, number }) => `${path}/${number}`)).size).toBe(sent.length);
  const stats = pair.a.session.stats();
  expect(sent).toHaveLength(stats.sentPackets);
  expect(sent.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(stats.sentBytes);
  expect(of("packet-received")).toHaveLength(stats.openedPackets);
  expect(of("packet-lost")).toHaveLength(stats.lostPackets);
});

test("the frames of a trace add up to what was transferred", () => {
  const { of, transfer } = traced(2);
  const frames = of("packet-sent").flatMap((event) => event.frames);
  const ends = frames.flatMap((frame) =>
    frame.kind === "stream" && frame.stream === transfer.stream ? [frame.offset + frame.length] : [],
  );
  expect(Math.max(...ends)).toBe(600_000);
  const acks = of("packet-received").flatMap((event) => event.frames.filter((frame) => frame.kind === "ack"));
  expect(acks.length).toBeGreaterThan(10);
  for (const { ranges } of acks) for (const [low, high] of ranges) expect(low).toBeLessThanOrEqual(high);
});

test("a trace tells paths, keys, the course of the controller and metrics, in the order of time", () => {
  const { of, times, pair } = traced(3);
  expect(of("path-selected").map(({ over }) => over)).toEqual(["server", "udp"]);
  expect(of("keys").at(-1)?.epoch).toBe(pair.a.session.stats().epoch);
  expect(of("congestion").map(({ to }) => to)).toContain("startup");
  expect(of("metrics").some(({ metrics }) => (metrics.smoothedRttMs ?? 0) > 0)).toBe(true);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test("packets that come again, or are forged, are told in sums", () => {
  const events: TraceEvent[] = [];
  const pair = new SimPair(new SimNetwork(4), { trace: (_, event) => void events.push(event) });
  pair.b.isCapturing = true;
  pair.open(pair.addRoute(links.home));
  pair.network.runFor(1_000);
  const { bytes, to } = pair.b.captured.findLast((packet) => packet.to.kind === "server") ?? {};
  if (bytes === undefined || to === undefined) throw new Error("nothing was captured");
  for (let count = 0; count < 5; count++) pair.a.receive(bytes, to);
  const forged = bytes.map((byte, index) => (index === 15 ? byte ^ 0x70 : byte));
  pair.a.receive(forged, to);
  const sums = { foreign: 0, repeated: 0, forged: 0 };
  for (const event of events) if (event.kind === "packets-dropped") sums[event.why] += event.packets;
  expect(sums).toEqual({ foreign: 0, repeated: 5, forged: 1 });
});

test("nothing that is said, no key and no address gets into a trace", () => {
  const events: TraceEvent[] = [];
  const pair = new SimPair(new SimNetwork(5), { trace: (_, event) => void events.push(event) });
  pair.open(pair.addRoute(links.lan));
  const word = new TextEncoder().encode("a secret word");
  pair.a.do((session, now) => {
    session.sendDatagram(now, word);
    session.sendFrame(now, { kind: "candidate", type: 0, address: Uint8Array.of(192, 0, 2, 77), port: 54_321 });
  });
  pair.network.runFor(1_000);
  pair.a.do((session, now) => session.close(now, "peer-gone", "a secret reason"));
  pair.network.runFor(1_000);
  const text = JSON.stringify(events);
  for (const hidden of ["secret", "97,32,115", "192,0,2", "54321", "198.51.100", "Uint8Array"])
    expect(text).not.toContain(hidden);
  expect(text).toContain('{"kind":"datagram","length":13}');
});
