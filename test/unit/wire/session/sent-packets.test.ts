import { expect, test } from "bun:test";
import { packetState, SentPackets } from "../../../../src/wire/session/sent-packets.ts";
import { contentsOf, Notes } from "./fates.ts";

test("SentPackets gives numbers in order and counts what is in flight", () => {
  const sent = new SentPackets();
  expect([sent.add(0, 100, contentsOf(0)), sent.add(1, 200, contentsOf(1)), sent.add(2, 300, contentsOf(2))]).toEqual([
    0, 1, 2,
  ]);
  expect([sent.bytesInFlight, sent.packetsInFlight]).toEqual([600, 3]);
  sent.settle(1, packetState.acked);
  sent.settle(0, packetState.lost);
  sent.settle(0, packetState.acked);
  expect([sent.bytesInFlight, sent.packetsInFlight]).toEqual([300, 1]);
  expect([0, 1, 2, 3].map((number) => sent.stateOf(number))).toEqual([
    packetState.acked,
    packetState.acked,
    packetState.inFlight,
    packetState.unknown,
  ]);
});

test("SentPackets reports all that was in a packet", () => {
  const sent = new SentPackets();
  const chunks = [
    { stream: 2, offset: 70_000_000_000, length: 1_100, fin: true },
    { stream: 4, offset: 0, length: 0, fin: true },
    { stream: 9, offset: 5, length: 65, fin: false },
  ];
  const number = sent.add(0, 1_200, { chunks, frames: [{ kind: "ping" }], ackPath: 7, ackLargest: 2 ** 40 });
  const notes = new Notes();
  sent.report(number, notes);
  expect(notes.chunks).toEqual(chunks);
  expect(notes.frames).toEqual(["ping"]);
  expect(notes.acks).toEqual([[7, 2 ** 40]]);
});

test("SentPackets keeps its memory while it grows", () => {
  const sent = new SentPackets();
  for (let number = 0; number < 5_000; number++) sent.add(number, 100 + (number % 50), contentsOf(number));
  for (const number of [0, 255, 256, 4_999]) {
    const notes = new Notes();
    sent.report(number, notes);
    expect(notes.chunks[0]?.offset).toBe(number);
    expect(sent.sentAtMs(number)).toBe(number);
  }
});

test("SentPackets forgets what is settled, but for what it is to keep", () => {
  const sent = new SentPackets();
  for (let number = 0; number < 10; number++) sent.add(number, 100, contentsOf(number));
  for (const number of [0, 1, 2, 4]) sent.settle(number, packetState.acked);
  sent.forget(2);
  expect([sent.oldest, sent.oldestInFlight]).toEqual([2, 3]);
  sent.forget(100);
  expect([sent.oldest, sent.oldestInFlight]).toEqual([3, 3]);
});

test("SentPackets is full at 28 000 numbers between the oldest and the newest", () => {
  const sent = new SentPackets();
  for (let number = 0; number < 27_999; number++) sent.add(0, 1, contentsOf(number));
  expect(sent.isFull).toBe(false);
  sent.add(0, 1, contentsOf(27_999));
  expect(sent.isFull).toBe(true);
});
