import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { bool, list, u16, u32, u53, upTo } from "../../src/wire/codec/fields.ts";
import { packValue } from "../../src/wire/codec/msgpack.ts";
import { message, table } from "../../src/wire/codec/schema.ts";
import { WireError } from "../../src/wire/errors.ts";
import { MAX_PACKET_NUMBER } from "../../src/wire/packet/header.ts";
import { AckRanges, MAX_ACK_RANGES } from "../../src/wire/session/ack-ranges.ts";
import { FrameReader } from "../../src/wire/session/frame-reader.ts";
import { writeAck, writeStreamHead } from "../../src/wire/session/frame-writer.ts";

setDefaultTimeout(60_000);

/** The hot frames as rows of a table, decoded by the library: what the reader that works in place must agree with. */
const reference = table(
  "hot frames",
  {
    ack: message(1, { path: u16, largest: u53, delayUs: u32, first: u53, ranges: list(u53, 2 * MAX_ACK_RANGES) }),
    stream: message(2, { stream: u53, offset: u53, fin: bool, data: upTo(0xffff) }),
  },
  0x2_0000,
);

type Said =
  | readonly ["ack", number, number, readonly (readonly [number, number])[]]
  | readonly ["stream", number, number, boolean, string];

/** Null when it throws, and only what the network may cause. */
function said(read: () => Said): Said | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return null;
  }
}

/** The first frame; what stands behind it may be anything. */
function inPlace(bytes: Uint8Array): Said {
  let first: Said | null = null;
  const hear = (heard: Said) => {
    first ??= heard;
  };
  try {
    new FrameReader().read(bytes, {
      ack: ({ path, delayUs, count, low, high }) => {
        const ranges = Array.from({ length: count }, (_, at) => [low[at] ?? -1, high[at] ?? -1] as const);
        hear(["ack", path, delayUs, ranges]);
      },
      stream: (stream, offset, fin, packet, from, to) =>
        hear(["stream", stream, offset, fin, packet.subarray(from, to).toHex()]),
      frame: () => undefined,
    });
  } catch (error) {
    if (first === null) throw error;
  }
  if (first === null) throw new WireError("bad-message", "no frame");
  return first;
}

function byLibrary(bytes: Uint8Array): Said {
  const { message: frame } = reference.decodeAt(bytes, 0);
  if (frame.kind === "stream") return ["stream", frame.stream, frame.offset, frame.fin, frame.data.toHex()];
  const ranges: (readonly [number, number])[] = [];
  let high = frame.largest;
  let low = high - frame.first;
  const edges = frame.ranges;
  const isBad = () =>
    low < 0 || edges.length % 2 !== 0 || Math.max(frame.largest, frame.first, ...edges) > MAX_PACKET_NUMBER;
  for (let at = 0; !isBad(); at += 2) {
    ranges.push([low, high]);
    if (at >= edges.length) return ["ack", frame.path, frame.delayUs, ranges];
    high = low - (edges[at] ?? 0) - 2;
    low = high - (edges[at + 1] ?? 0);
  }
  throw new WireError("bad-message", "an ack of nothing");
}

const number = fc.oneof(fc.nat(300), fc.nat(70_000), fc.maxSafeNat());
const ackValue = fc.tuple(fc.constant(1), number, number, number, fc.nat(9), fc.array(fc.nat(9), { maxLength: 140 }));
const streamValue = fc.tuple(fc.constant(2), number, number, fc.boolean(), fc.uint8Array({ maxLength: 300 }));
const more = fc.array(fc.oneof(number, fc.string({ maxLength: 40 }), fc.array(number, { maxLength: 20 })), {
  maxLength: 10,
});
const well = fc.tuple(fc.oneof(ackValue, streamValue), more).map(([value, tail]) => packValue([...value, ...tail]));
const edits = fc.array(fc.record({ at: fc.nat(40), value: fc.nat(255) }), { maxLength: 3 });
const mangled = fc.tuple(well, edits, fc.nat(60)).map(([bytes, changes, cut]) => {
  const copy = bytes.slice(0, cut < 10 ? bytes.length - cut : bytes.length);
  for (const { at, value } of changes) if (at < copy.length) copy[at] = value;
  return copy;
});
const noise = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Uint8Array.of(0x95 + ((bytes[0] ?? 0) % 3), 1 + ((bytes[1] ?? 0) % 2), ...bytes));

test("frames read in place are what the library reads, and are refused where the library refuses", () => {
  let read = 0;
  fc.assert(
    fc.property(fc.oneof(well, mangled, noise), (bytes) => {
      const [head = 0, kind] = [bytes[0], bytes[bytes[0] === 0xdc ? 3 : 1]];
      fc.pre((head === 0xdc || (head & 0xf0) === 0x90) && (kind === 1 || kind === 2));
      const ours = said(() => inPlace(bytes));
      expect(ours).toEqual(said(() => byLibrary(bytes)));
      if (ours !== null) read++;
    }),
    { numRuns: 60_000 },
  );
  expect(read).toBeGreaterThan(5_000);
});

test("stream frames written in place are the bytes the library writes", () => {
  fc.assert(
    fc.property(number, number, fc.boolean(), fc.uint8Array({ maxLength: 400 }), (stream, offset, fin, data) => {
      const out = new Uint8Array(500);
      const at = writeStreamHead(out, 7, stream, offset, fin, data.length);
      out.set(data, at);
      const written = out.subarray(7, at + data.length);
      expect(reference.decode(written)).toEqual({ kind: "stream", stream, offset, fin, data });
      expect(written.toHex()).toBe(packValue([2, stream, offset, fin, data]).toHex());
      expect(said(() => inPlace(written))).toEqual(["stream", stream, offset, fin, data.toHex()]);
    }),
    { numRuns: 5_000 },
  );
});

test("acks written in place are read as the newest of the ranges they were made from", () => {
  const numbers = fc.array(
    fc.oneof(fc.nat(400), fc.integer({ min: MAX_PACKET_NUMBER - 300, max: MAX_PACKET_NUMBER })),
    {
      minLength: 1,
      maxLength: 200,
    },
  );
  fc.assert(
    fc.property(
      numbers,
      fc.nat(0xffff),
      fc.nat(0xffff_ffff),
      fc.integer({ min: 40, max: 700 }),
      (numbers, path, delayUs, room) => {
        const ranges = new AckRanges();
        for (const each of numbers) ranges.add(each);
        const out = new Uint8Array(800);
        const end = writeAck(out, 3, 3 + room, path, delayUs, ranges);
        expect(end).toBeLessThanOrEqual(3 + room);
        const read = said(() => inPlace(out.subarray(3, end)));
        expect(read).toEqual(said(() => byLibrary(out.subarray(3, end))));
        const told = read?.[0] === "ack" ? read[3] : [];
        const all = Array.from({ length: ranges.count }, (_, at) => [ranges.low(at), ranges.high(at)] as const);
        expect(told.length).toBeGreaterThan(0);
        expect(all.slice(0, told.length)).toEqual([...told]);
      },
    ),
    { numRuns: 5_000 },
  );
});
