import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  COUNTER_AT,
  epochAt,
  handshakePacket,
  lengthAt,
  MAX_PACKET_NUMBER,
  MAX_PATH_ID,
  packetNumberAt,
  packetType,
  pathIdAt,
  receiverIndexAt,
  SEALED_HEADER_BYTES,
  typeAt,
  writeCounter,
  writeHead,
  writeReceiverIndex,
} from "../../../../src/wire/packet/header.ts";
import { hex } from "../../../support/bytes.ts";

test("a sealed packet's header matches PROTOCOL.md", () => {
  const header: Uint8Array = new Uint8Array(SEALED_HEADER_BYTES);
  writeHead(header, 0, packetType.sealed, 0x25, 1_200);
  writeReceiverIndex(header, 0, 0xa1b2c3d4);
  writeCounter(header, COUNTER_AT, 3, 0x123456789abc);
  expect(header).toEqual(hex("03 15 04b0 a1b2c3d4 0003 123456789abc"));
});

test("handshakePacket() puts the head before the message", () => {
  const packet = handshakePacket(new Uint8Array(48).fill(0xee));
  expect(packet).toEqual(hex(`04 10 0034 ${"ee".repeat(48)}`));
  expect(typeAt(packet, 0, packet.length)).toBe(packetType.handshake);
});

test("header fields read back as written, at any offset", () => {
  const fields = fc.record({
    at: fc.nat(40),
    epoch: fc.nat(2 ** 20),
    length: fc.integer({ min: 32, max: 65_535 }),
    receiverIndex: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    pathId: fc.nat(MAX_PATH_ID),
    packetNumber: fc.oneof(
      fc.maxSafeNat().map((number) => number % 2 ** 48),
      fc.constant(MAX_PACKET_NUMBER),
    ),
  });
  const property = fc.property(fields, ({ at, epoch, length, receiverIndex, pathId, packetNumber }) => {
    const bytes = new Uint8Array(64).fill(0xff);
    writeHead(bytes, at, packetType.sealed, epoch, length);
    writeReceiverIndex(bytes, at, receiverIndex);
    writeCounter(bytes, at + COUNTER_AT, pathId, packetNumber);
    expect(typeAt(bytes, at, at + length)).toBe(packetType.sealed);
    expect([epochAt(bytes, at), lengthAt(bytes, at)]).toEqual([epoch % 16, length]);
    expect([receiverIndexAt(bytes, at), pathIdAt(bytes, at)]).toEqual([receiverIndex, pathId]);
    expect(packetNumberAt(bytes, at)).toBe(packetNumber);
  });
  fc.assert(property);
});

test("typeAt() knows four types, from their least length on", () => {
  const least = [
    [packetType.discoveryRequest, 72],
    [packetType.discoveryReply, 72],
    [packetType.sealed, 32],
    [packetType.handshake, 52],
  ] as const;
  for (const [type, length] of least) {
    expect(typeAt(head(type, 0x10, length), 0, length)).toBe(type);
    expect(typeAt(head(type, 0x10, length - 1), 0, length)).toBeNull();
  }
});

test("typeAt() refuses every other type, every other version and an epoch outside sealed packets", () => {
  for (let type = 0; type < 256; type++)
    if (type < 1 || type > 6) expect(typeAt(head(type, 0x10, 100), 0, 100)).toBeNull();
  for (let version = 0; version < 16; version++)
    if (version !== 1) expect(typeAt(head(3, version << 4, 100), 0, 100)).toBeNull();
  for (let epoch = 0; epoch < 16; epoch++) {
    expect(typeAt(head(3, 0x10 | epoch, 100), 0, 100)).toBe(packetType.sealed);
    for (const type of [1, 2, 4]) expect(typeAt(head(type, 0x10 | epoch, 100), 0, 100) === null).toBe(epoch > 0);
  }
});

test("typeAt() refuses a length beyond the end, wherever the packet begins", () => {
  const bytes = new Uint8Array(150);
  bytes.set(head(3, 0x10, 100), 50);
  expect(typeAt(bytes, 50, 150)).toBe(packetType.sealed);
  expect(typeAt(bytes, 50, 149)).toBeNull();
});

test("typeAt() finds nothing in an empty buffer, half a head or noise", () => {
  for (let length = 0; length < 4; length++)
    expect(typeAt(hex("03 10 00 20").subarray(0, length), 0, length)).toBeNull();
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const type = typeAt(bytes, 0, bytes.length);
    expect(type === null || lengthAt(bytes, 0) <= bytes.length).toBe(true);
  });
  fc.assert(property);
});

function head(type: number, second: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set([type, second, length >> 8, length & 255]);
  return bytes;
}
