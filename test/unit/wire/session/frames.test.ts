import { expect, test } from "bun:test";
import { packValue } from "../../../../src/wire/codec/msgpack.ts";
import { AckRanges } from "../../../../src/wire/session/ack-ranges.ts";
import { FrameReader } from "../../../../src/wire/session/frame-reader.ts";
import { writeAck, writeStreamHead } from "../../../../src/wire/session/frame-writer.ts";
import { frames, type Frame } from "../../../../src/wire/messages/session.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

test("a stream frame matches PROTOCOL.md §7.4", () => {
  const out = new Uint8Array(64);
  const at = writeStreamHead(out, 0, 2, 300, true, 3);
  out.set([7, 8, 9], at);
  expect(out.subarray(0, at + 3)).toEqual(hex("95 02 02 cd 01 2c c3 c4 03 07 08 09"));
});

test("an ack matches PROTOCOL.md §7.4", () => {
  const ranges = new AckRanges();
  for (const number of [1, 2, 3, 7, 8, 10]) ranges.add(number);
  const out = new Uint8Array(64);
  const end = writeAck(out, 0, 64, 3, 1_000, ranges);
  expect(out.subarray(0, end)).toEqual(hex("96 01 03 0a cd 03 e8 00 94 00 01 02 02"));
});

test("control frames match PROTOCOL.md §7.4", () => {
  const samples: readonly [Frame, string][] = [
    [{ kind: "ping" }, "91 03"],
    [{ kind: "maxSession", bytes: 16_777_216 }, "92 05 ce 01 00 00 00"],
    [{ kind: "maxStreams", class: 2, streams: 80 }, "93 12 02 50"],
    [{ kind: "close", code: "cancelled", reason: "" }, "93 09 a9 63 61 6e 63 65 6c 6c 65 64 a0"],
    [{ kind: "challenge", nonce: new Uint8Array(8).fill(5) }, `92 0a c4 08 ${"05 ".repeat(8)}`],
    [{ kind: "spareIndexes", indexes: [1, 0xffff_ffff] }, "92 0e 92 01 ce ff ff ff ff"],
  ];
  for (const [frame, bytes] of samples) expect(frames.encode(frame)).toEqual(hex(bytes));
});

test("FrameReader reads frames one behind the other and passes over padding", () => {
  const heard: string[] = [];
  new FrameReader().read(hex("c0 c0 91 03 c0 95 02 05 00 c2 c4 01 2a 91 03 c0 94 63 01 02 03 96 01 01 04 00 02 90"), {
    ack: ({ path, low, high, count }) => void heard.push(`ack ${path} ${low[0]}-${high[0]} ${count}`),
    stream: (stream, offset, fin, packet, from, to) =>
      void heard.push(`stream ${stream} ${offset} ${fin} ${packet.subarray(from, to).toHex()}`),
    frame: ({ kind }) => void heard.push(kind),
  });
  expect(heard).toEqual(["ping", "stream 5 0 false 2a", "ping", "ack 1 2-4 1"]);
});

test("FrameReader refuses an ack of more ranges than are ever told", () => {
  const frame = (count: number) => packValue([1, 1, 10_000, 0, 0, Array.from({ length: 2 * count }, () => 0)]);
  const handler = { ack: () => undefined, stream: () => undefined, frame: () => undefined };
  expect(() => new FrameReader().read(frame(65), handler)).toThrow("not a frame");
  expect(() => new FrameReader().read(frame(64), handler)).not.toThrow();
});
