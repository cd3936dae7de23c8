import { expect, test } from "bun:test";
import fc from "fast-check";
import { BinaryReader, binaryOf } from "../../../../src/wire/codec/binaries.ts";
import { packValue } from "../../../../src/wire/codec/msgpack.ts";
import { WireError } from "../../../../src/wire/errors.ts";

test("binaryOf() is MessagePack at every length of head", () => {
  for (const length of [0, 255, 256, 65_535, 65_536]) {
    const message = new Uint8Array(length).fill(7);
    expect(binaryOf(message)).toEqual(new Uint8Array(packValue(message)));
  }
});

test("BinaryReader gives back whole messages however the stream was cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 50 }), (given, step) => {
      const stream = Buffer.concat(given.map(binaryOf));
      const reader = new BinaryReader(400);
      const read: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += step) {
        reader.push(new Uint8Array(stream.subarray(at, at + step)));
        for (let message = reader.next(); message !== null; message = reader.next()) read.push(message);
      }
      expect(read).toEqual(given);
      expect(reader.next()).toBeNull();
    }),
  );
});

test("BinaryReader refuses what is no binary, and a length over its limit at the head", () => {
  const refused = (hex: string) => {
    const reader = new BinaryReader(100);
    reader.push(Uint8Array.fromHex(hex));
    expect(() => reader.next()).toThrow(WireError);
  };
  refused("93");
  refused("c465");
  refused("c50020");
  refused("c600000020");
  refused("c6ffffffff");
});
