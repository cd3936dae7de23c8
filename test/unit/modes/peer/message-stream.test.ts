import { expect, test } from "bun:test";
import { MessageStream } from "../../../../src/modes/peer/message-stream.ts";
import type { StreamHost } from "../../../../src/modes/peer/stream-host.ts";
import { zstd } from "../../../../src/modes/runtime/zstd.ts";
import { concat, utf8 } from "../../../../src/wire/bytes.ts";
import { binaryOf } from "../../../../src/wire/codec/binaries.ts";
import { WireError } from "../../../../src/wire/errors.ts";
import { chat } from "../../../../src/wire/messages/chat.ts";
import { packing } from "../../../../src/wire/messages/packed.ts";
import { Street } from "../../../support/neighbours.ts";

/** Takes all that is written at once, and has `arrived` to read. */
function host(written: Uint8Array[], arrived: Uint8Array[]): StreamHost {
  return {
    write: (_, bytes) => written.push(bytes.slice()) && bytes.length,
    finish: () => undefined,
    reset: () => undefined,
    stop: () => undefined,
    read: () => arrived.shift() ?? null,
    consumed: () => undefined,
    bufferedBytes: () => 0,
    guard: (run) => run(),
  };
}

const line = chat.encode({
  kind: "text",
  id: new Uint8Array(16),
  text: utf8("what do you think of it? ".repeat(40)),
  sentAtMs: 0,
});

test("MessageStream packs nothing before the other end has said that it unpacks", async () => {
  const written: Uint8Array[] = [];
  const stream = new MessageStream(host(written, []), 2);
  await stream.send(line);
  expect(concat(...written)).toEqual(binaryOf(line));
});

test("MessageStream packs what shrinks once it does, and reads both in whatever pieces they come", async () => {
  const written: Uint8Array[] = [];
  const stream = new MessageStream(host(written, []), 2);
  stream.packs = true;
  const short = chat.encode({ kind: "leaving" });
  for (const message of [line, short, line]) await stream.send(message);
  const bytes = concat(...written);
  expect(bytes.length).toBeLessThan(line.length);
  const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
    bytes.slice(7 * index, 7 * index + 7),
  );
  const heard: Uint8Array[] = [];
  new MessageStream(host([], pieces), 2).onMessage((message) => void heard.push(message));
  expect(heard).toEqual([line, short, line]);
});

test("MessageStream throws a WireError at a packed message that holds more than it says", () => {
  const frame = zstd.compress(new Uint8Array(10_000_000));
  const bomb = binaryOf(packing.encode({ kind: "packed", bytes: 8_192, frame }));
  const stream = new MessageStream(host([], [bomb]), 2);
  expect(() => stream.onMessage(() => undefined)).toThrow(WireError);
});

test("two peers tell each other that they unpack, and then say long things in few bytes", async () => {
  await using street = await Street.open();
  // Over the server, where nobody looks for longer packets meanwhile.
  const [ana, ben] = await street.pair({ relayOnly: true });
  const [a, b] = await ana.chatWith(ben);
  for (let round = 0; round < 3; round++) await Promise.all([a.ping(), b.ping()]);
  const text = utf8("what do you think of it, and what would you rather do about it? ".repeat(120));
  const heard = Promise.withResolvers<Uint8Array>();
  b.chat.onMessage(heard.resolve);
  const before = a.figures.sentBytes;
  const long = chat.encode({ kind: "text", id: new Uint8Array(16), text, sentAtMs: 0 });
  await a.chat.send(long);
  expect(await heard.promise).toEqual(long);
  expect(a.figures.sentBytes - before).toBeLessThan(text.length / 2);
});
