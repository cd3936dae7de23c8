import { expect, test } from "bun:test";
import { concat } from "../../../../src/wire/bytes.ts";
import { packValue, type Value } from "../../../../src/wire/codec/msgpack.ts";
import { frames } from "../../../../src/wire/messages/session.ts";
import { type Route, SERVER_ROUTE } from "../../../../src/wire/session/route.ts";
import { RawPeer } from "../../../sim/raw-peer.ts";

const close = frames.encode({ kind: "close", code: "cancelled", reason: "" });
const ping = frames.encode({ kind: "ping" });
const stream = (id: number, offset: number, data: Uint8Array, fin = false) => packValue([2, id, offset, fin, data]);
const ack = (path: number, largest: number, first: number, ranges: readonly number[] = []) =>
  packValue([1, path, largest, 0, first, ranges]);

function afterSaying(...plaintexts: readonly Uint8Array[]): RawPeer {
  const peer = new RawPeer(true);
  for (const plaintext of plaintexts) peer.say(plaintext);
  return peer;
}

const ignored: Readonly<Record<string, Uint8Array>> = {
  "an unknown kind": packValue([99, 1, [2, 3], "four"]),
  "fields behind those of a known kind": packValue([3, 1, 2, 3]),
  "fields behind those of a stream frame": packValue([2, 2, 0, false, Uint8Array.of(1, 2, 3), 7, [8]]),
  "padding alone": new Uint8Array(100).fill(0xc0),
  "no credit at all": concat(packValue([5, 0]), packValue([6, 2, 0])),
  "a ping": ping,
  "a reset of a stream that was never used": packValue([7, 4, 0, 1]),
};

for (const [what, plaintext] of Object.entries(ignored))
  test(`bad input 128: ${what} leaves the session open`, () => {
    const peer = afterSaying(plaintext, stream(2, 0, Uint8Array.of(1, 2, 3)));
    expect(peer.closed).toBeUndefined();
    expect(peer.session.read(2)).toEqual(Uint8Array.of(1, 2, 3));
  });

test("a packet of which nothing is understood is acknowledged at once, or a newer program would take its path for dead", () => {
  const peer = afterSaying(ping);
  for (const plaintext of [ping, packValue([99, 1])]) {
    const before = peer.sent.length;
    peer.say(plaintext);
    expect(peer.sent).toHaveLength(before + 1);
    expect(peer.sent.at(-1)?.frames).toEqual([]);
  }
});

const many = Array.from({ length: 10_000 }, () => 0);
const fatal: Readonly<Record<string, Uint8Array>> = {
  "a byte that begins no frame": Uint8Array.of(7),
  "a frame cut short": stream(2, 0, new Uint8Array(50)).subarray(0, 30),
  "a length beyond the packet": Uint8Array.of(0x95, 2, 2, 0, 0xc2, 0xc4, 200, 1),
  "a negative offset": Uint8Array.of(0x95, 2, 2, 0xff, 0xc2, 0xc4, 1, 1),
  "an offset of 2^53": Uint8Array.of(0x95, 2, 2, 0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0, 0xc2, 0xc4, 1, 1),
  "an offset beyond the credit": stream(2, 262_144, Uint8Array.of(1)),
  "a bulk offset beyond the credit": stream(5, 12 * 1_024 * 1_024, Uint8Array.of(1)),
  "a number not in its shortest form": Uint8Array.of(0x95, 2, 2, 0xcc, 5, 0xc2, 0xc4, 1, 1),
  "two ends of one stream": concat(stream(5, 0, new Uint8Array(5), true), stream(5, 0, new Uint8Array(6), true)),
  "bytes behind the end": concat(stream(5, 0, new Uint8Array(5), true), stream(5, 5, new Uint8Array(1))),
  "an end before what has come": concat(stream(5, 0, new Uint8Array(5)), stream(5, 0, new Uint8Array(3), true)),
  "a reset to before what has come": concat(stream(5, 0, new Uint8Array(5)), packValue([7, 5, 3, 1])),
  "a stream of the fourth class": stream(7, 0, new Uint8Array(1)),
  "a stream of ours that we never opened": stream(12, 0, new Uint8Array(1)),
  "credit for a stream of ours that we never opened": packValue([6, 12, 100]),
  "more streams than allowed": stream(5 + 8 * 64, 0, new Uint8Array(1)),
  "an ack of what was never sent": ack(1, 5_000, 0),
  "an ack for a path that was never used": ack(9, 0, 0),
  "an ack for the path of checks": ack(0, 0, 0),
  "an ack of numbers below zero": ack(1, 0, 1),
  "an ack whose ranges go below zero": ack(1, 0, 0, [0, 0]),
  "an ack with half a range": ack(1, 0, 0, [0]),
  "an ack with 10 000 ranges": ack(1, 0, 0, many),
  "a challenge outside path 0": packValue([10, new Uint8Array(8)]),
  "a rekey from the end that may not start one": packValue([15, 1, new Uint8Array(96)]),
  "an answer to a rekey that was never asked": packValue([16, 1, new Uint8Array(96)]),
  "a text where bytes belong": packValue([2, 2, 0, false, "abc"] as Value),
  "a map": Uint8Array.of(0x81, 1, 2),
  "nesting 100 deep": concat(new Uint8Array(100).fill(0x91), Uint8Array.of(1)),
};

for (const [what, plaintext] of Object.entries(fatal))
  test(`bad input 128: ${what} ends the session with protocol-error`, () => {
    const peer = afterSaying(plaintext);
    peer.run(5_000);
    expect(peer.closed).toMatchObject({ code: "protocol-error", remote: false });
    expect(peer.sent.flatMap((packet) => packet.frames).filter((frame) => frame.kind === "close")).not.toHaveLength(0);
  });

test("bad input 128: a frame on path 0 that is no check ends the session", () => {
  const peer = new RawPeer(true);
  peer.say(ping, 0);
  peer.run(5_000);
  expect(peer.closed).toMatchObject({ code: "protocol-error" });
});

test("bad input 128: overlapping pieces are delivered once, as they came first", () => {
  const peer = afterSaying(
    stream(2, 4, Uint8Array.of(4, 5, 6, 7)),
    stream(2, 2, Uint8Array.of(2, 3, 99, 99)),
    stream(2, 0, Uint8Array.of(0, 1, 99)),
    stream(2, 0, new Uint8Array(9).fill(8)),
  );
  expect(peer.session.read(2)).toEqual(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8));
  expect(peer.session.read(2)).toBeNull();
});

test("bad input 128: close inside close is heard once and answered once", () => {
  const peer = new RawPeer(true);
  const before = peer.sent.length;
  peer.say(concat(close, close));
  peer.say(close);
  peer.run(5_000);
  expect(peer.events.filter((event) => event.kind === "closed")).toHaveLength(1);
  expect(peer.closed).toMatchObject({ code: "cancelled", remote: true });
  expect(peer.sent.slice(before).filter((packet) => packet.frames.some(({ kind }) => kind === "close"))).toHaveLength(
    1,
  );
  expect(peer.session.pollTimeout()).toBeNull();
});

test("bad input 128: holes are bounded", () => {
  const peer = new RawPeer(true);
  let offset = 1;
  for (let packet = 0; packet < 400 && peer.closed === undefined; packet++) {
    const parts = Array.from({ length: 60 }, () => stream(5, (offset += 2), Uint8Array.of(1)));
    peer.say(concat(...parts));
    peer.run(10);
  }
  peer.run(5_000);
  expect(peer.closed).toMatchObject({ code: "protocol-error" });
});

test("an ack of a number that was left out ends the session", () => {
  const peer = new RawPeer(true, { limits: { skipEveryPackets: 2 } });
  for (let round = 0; round < 20; round++) {
    peer.session.ping(peer.now);
    peer.drain();
  }
  const numbers = peer.sent.filter(({ path }) => path === 1).map(({ number }) => number);
  const largest = Math.max(...numbers);
  expect(numbers.length).toBeLessThan(largest + 1);
  peer.say(ack(1, largest, largest));
  peer.run(5_000);
  expect(peer.closed).toMatchObject({ code: "protocol-error", remote: false });
});

test("bad input 121: with keys past their packets only rekeys are sealed, and then the session ends", () => {
  const limits = { rekeyAfterPackets: 20, restrictAfterPackets: 40, gracePackets: 10 };
  const peer = new RawPeer(true, { limits });
  for (let round = 0; round < 100 && peer.closed === undefined; round++) {
    const last = peer.sent.findLast(({ path }) => path === 1);
    const isAsked = peer.sent.some(({ frames: said }) => said.some(({ kind }) => kind === "rekey"));
    peer.session.write(peer.now, 2, new Uint8Array(10));
    if (last !== undefined && !isAsked) peer.say(ack(1, last.number, 0));
    peer.run(100);
  }
  peer.run(60_000);
  expect(peer.closed).toMatchObject({ code: "protocol-error", remote: false });
  const asked = peer.sent.findIndex(({ frames: said }) => said.some(({ kind }) => kind === "rekey"));
  expect(asked).toBeGreaterThan(0);
  expect(peer.sent.length).toBeLessThanOrEqual(40 + 12);
  const late = peer.sent.slice(-8).flatMap((packet) => packet.frames);
  expect(late.every(({ kind }) => kind === "rekey")).toBe(true);
});

test("bad input 121: with keys past their time only rekeys are sealed, and after an hour the session ends", () => {
  const peer = new RawPeer(true, { limits: { graceMs: 600_000 } });
  for (let round = 0; round < 170; round++) {
    const last = peer.sent.findLast(({ path }) => path === 1);
    if (last !== undefined) peer.say(ack(1, last.number, 0));
    peer.run(1_000);
  }
  peer.run(15_000);
  const before = peer.sent.length;
  peer.session.write(peer.now, 2, new Uint8Array(10));
  peer.say(ping);
  peer.run(30_000);
  expect(
    peer.sent
      .slice(before)
      .flatMap((packet) => packet.frames)
      .every(({ kind }) => kind === "rekey"),
  ).toBe(true);
  expect(peer.closed).toBeUndefined();
  peer.run(600_000);
  expect(peer.closed).toMatchObject({ code: "protocol-error" });
});

test("the end that may not start a rekey asks for one", () => {
  const peer = new RawPeer(false, { limits: { rekeyAfterPackets: 8 } });
  for (let round = 0; round < 12; round++) peer.say(ping);
  peer.run(1_000);
  expect(peer.sent.flatMap((packet) => packet.frames).map(({ kind }) => kind)).toContain("rekeyWanted");
});

test("a challenge is answered on the route it came on, with the address it came from, in at most 65 bytes", () => {
  const peer = new RawPeer(true);
  const from: Route = { kind: "udp", socket: 3, remote: { ip: "2001:db8::7", port: 7_007 } };
  const before = peer.sent.length;
  peer.say(packValue([10, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]), 0, from);
  const answers = peer.sent.slice(before);
  expect(answers).toHaveLength(1);
  expect(answers[0]).toMatchObject({ path: 0, to: from });
  expect(answers[0]?.bytes).toBeLessThanOrEqual(65);
  const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const address = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);
  expect(answers[0]?.frames).toEqual([{ kind: "response", nonce, address, port: 7_007 }]);
  expect(peer.events).toContainEqual({ kind: "route-seen", route: from });
});

test("probe() sends one fresh challenge of 44 bytes on path 0 each time, and a route counts only when it answers itself", () => {
  const peer = new RawPeer(true);
  const [asked, other]: Route[] = [4, 5].map(
    (socket) => ({ kind: "udp", socket, remote: { ip: "192.0.2.4", port: 4_004 } }) as const,
  );
  if (asked === undefined || other === undefined) throw new Error("no routes");
  const before = peer.sent.length;
  for (let round = 0; round < 3; round++) peer.session.probe(peer.now, asked, 1);
  peer.drain();
  const checks = peer.sent.slice(before);
  expect(checks.map(({ path, bytes, to }) => ({ path, bytes, to }))).toEqual(
    Array.from({ length: 3 }, () => ({ path: 0, bytes: 44, to: asked })),
  );
  const nonces = checks.flatMap(({ frames: said }) =>
    said.map((frame) => (frame.kind === "challenge" ? frame.nonce.toHex() : "")),
  );
  expect(new Set(nonces).size).toBe(3);
  const answer = packValue([11, Uint8Array.fromHex(nonces[1] ?? ""), Uint8Array.of(198, 51, 100, 9), 999]);
  peer.say(answer, 0, other);
  expect(peer.events.some(({ kind }) => kind === "route-validated")).toBe(false);
  peer.say(answer, 0, asked);
  const observed = { ip: "198.51.100.9", port: 999 };
  expect(peer.events).toContainEqual({ kind: "route-validated", route: asked, rttMs: 0, observed });
  peer.run(1);
  expect(peer.sent.at(-1)).toMatchObject({ path: 0, bytes: 1_200, to: asked });
});

test("packets with words in them are padded to steps of 64 bytes, bulk and acks are not", () => {
  const peer = new RawPeer(true);
  const sizes = (): number[] => peer.sent.splice(0).map(({ bytes }) => bytes);
  for (let length = 1; length < 900; length += 37) {
    peer.session.write(peer.now, 2, new Uint8Array(length));
    peer.drain();
  }
  expect(sizes().every((bytes) => bytes % 64 === 0 || bytes === 1_200)).toBe(true);
  peer.session.write(peer.now, peer.session.openStream("bulk"), new Uint8Array(50));
  peer.run(100);
  expect(sizes().some((bytes) => bytes % 64 !== 0)).toBe(true);
});

test("several packets in one buffer are all read", () => {
  const peer = new RawPeer(true);
  const part = (offset: number) => stream(2, offset, new Uint8Array(100).fill(offset / 100));
  const padded = (bytes: Uint8Array) => concat(bytes, new Uint8Array(120 - bytes.length).fill(0xc0));
  const packets = [0, 100, 200, 300].map((offset) => peer.seal(padded(part(offset))));
  packets.push(peer.seal(stream(2, 400, new Uint8Array(20).fill(4))));
  peer.deliver(concat(...packets));
  expect(peer.session.read(2)?.length).toBe(420);
  expect(peer.session.stats().openedPackets).toBe(5);
});

test("nothing is sealed before there is a route", () => {
  const peer = new RawPeer(true);
  peer.session.setServerRoute(peer.now, false);
  const before = peer.sent.length;
  peer.session.write(peer.now, 2, new Uint8Array(10));
  peer.run(60_000);
  expect(peer.sent.length).toBe(before);
  peer.session.setServerRoute(peer.now, true);
  peer.drain();
  expect(peer.sent.length).toBeGreaterThan(before);
});

test("a packet through the server is taken even before its route is told", () => {
  const peer = new RawPeer(true);
  peer.session.setServerRoute(peer.now, false);
  peer.say(stream(2, 0, Uint8Array.of(5)), 1, SERVER_ROUTE);
  expect(peer.session.read(2)).toEqual(Uint8Array.of(5));
});
