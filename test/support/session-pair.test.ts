import { expect, test } from "bun:test";
import type { ByteReader, PeerSession } from "../../src/modes/peer/peer-session.ts";
import { WireError } from "../../src/wire/errors.ts";
import { sessionPair } from "./session-pair.ts";

function nextStream(session: PeerSession): Promise<ByteReader> {
  return new Promise((resolve) => session.onBulk(resolve));
}

/** Long enough for all that can happen without anybody reading. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

test("sessionPair(): messages arrive whole and in order, also those sent before there was a handler", async () => {
  const { a, b } = sessionPair();
  await a.control.send(Uint8Array.of(1));
  await a.control.send(Uint8Array.of(2, 2));
  const received: Uint8Array[] = [];
  b.control.onMessage((message) => received.push(message));
  void a.control.send(Uint8Array.of(3));
  void a.control.send(Uint8Array.of(4));
  await a.control.flushed();
  expect(received).toEqual([Uint8Array.of(1), Uint8Array.of(2, 2), Uint8Array.of(3), Uint8Array.of(4)]);
});

test("sessionPair(): send() waits while 256 KiB lie unread at the other end", async () => {
  const { a, b } = sessionPair();
  let taken = 0;
  for (let index = 0; index < 10; index++) void a.chat.send(new Uint8Array(65_536)).then(() => (taken += 1));
  await settle();
  expect(taken).toBe(4);
  b.chat.onMessage(() => undefined);
  await a.chat.flushed();
  expect(taken).toBe(10);
});

test("sessionPair(): write() waits for credit, which reading alone does not give", async () => {
  const { a, b } = sessionPair({ streamWindowBytes: 1_000, pieceBytes: 400 });
  const writer = a.openBulk();
  let done = false;
  const writing = writer.write(new Uint8Array(2_000)).then(() => (done = true));
  const reader = await nextStream(b);
  const first = await reader.read();
  const second = await reader.read();
  await settle();
  expect([first?.length, second?.length, done]).toEqual([400, 400, false]);
  reader.consumed(800);
  expect((await reader.read())?.length).toBe(400);
  expect((await reader.read())?.length).toBe(400);
  reader.consumed(800);
  await writing;
  await writer.finish();
  expect((await reader.read())?.length).toBe(400);
  expect(await reader.read()).toBeNull();
  expect(() => reader.consumed(401)).toThrow(RangeError);
});

test("sessionPair(): reset() fails the reader and stop() fails the writer, each with the code given", async () => {
  const { a, b } = sessionPair();
  const given = a.openBulk();
  await given.write(Uint8Array.of(1));
  const reader = await nextStream(b);
  given.reset("file-changed");
  await expect(reader.read()).rejects.toMatchObject({ code: "file-changed", side: "remote" });
  const stopped = b.openBulk();
  await stopped.write(Uint8Array.of(1));
  (await nextStream(a)).stop("disk-full");
  await expect(stopped.write(Uint8Array.of(1))).rejects.toMatchObject({ code: "disk-full", side: "remote" });
});

test("sessionPair(): cut() ends everything that waits at both ends", async () => {
  const pair = sessionPair({ streamWindowBytes: 10 });
  const { a, b } = pair;
  const writer = a.openBulk();
  await writer.write(new Uint8Array(10));
  const writing = writer.write(new Uint8Array(1));
  pair.cut();
  await expect(writing).rejects.toMatchObject({ code: "peer-gone" });
  await expect(b.control.send(Uint8Array.of(1))).rejects.toMatchObject({ code: "peer-gone" });
  expect([(await a.ended).code, (await b.ended).code]).toEqual(["peer-gone", "peer-gone"]);
});

test("sessionPair(): a handler that throws a WireError ends the session with its code", async () => {
  const { a, b } = sessionPair();
  b.control.onMessage(() => {
    throw new WireError("bad-message", "not a message");
  });
  await a.control.send(Uint8Array.of(0));
  expect(await b.ended).toMatchObject({ code: "bad-message", side: "local" });
  expect(await a.ended).toMatchObject({ code: "bad-message", side: "remote" });
});

test("sessionPair(): close() delivers what was sent before and tells the other end", async () => {
  const { a, b } = sessionPair();
  const received: number[] = [];
  b.chat.onMessage((message) => received.push(message.length));
  void a.chat.send(new Uint8Array(7));
  await a.close("cancelled", "bye");
  expect(received).toEqual([7]);
  expect(await b.ended).toEqual({ code: "cancelled", reason: "bye", side: "remote" });
});
