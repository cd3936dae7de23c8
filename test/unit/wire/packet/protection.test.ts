import { expect, test } from "bun:test";
import { concat, utf8 } from "../../../../src/wire/bytes.ts";
import { AeadKey } from "../../../../src/wire/noise/primitives.ts";
import { MAX_PACKET_NUMBER, SEALED_HEADER_BYTES, SEALED_OVERHEAD_BYTES } from "../../../../src/wire/packet/header.ts";
import { PacketProtection } from "../../../../src/wire/packet/protection.ts";
import { hex } from "../../../support/bytes.ts";
import { keysOf, PATH, RECEIVER, sealed } from "./packets.ts";

const [sendKeys, receiveKeys] = keysOf(0x12);
const limits = { rekeyAfterPackets: 8, rejectAfterPackets: 12, rekeyAfterForgeries: 3 };

test("PacketProtection.seal() makes the packet of PROTOCOL.md: header as associated data, counter as nonce", () => {
  const header = hex("03 12 0025 a1b2c3d4 0003 000100000002");
  const nonce = hex("00000000 0003 000100000002");
  const packet = sealed(new PacketProtection(sendKeys), 0x100000002, utf8("hello"));
  expect(packet).toEqual(concat(header, new AeadKey(sendKeys.sealKey).seal(nonce, header, utf8("hello"))));
});

test("PacketProtection.open() gives back what the other end sealed, from the middle of a buffer", () => {
  const packet = sealed(new PacketProtection(sendKeys), 7, utf8("hello"));
  const buffer = concat(utf8("before"), packet, utf8("after"));
  expect(textOf(new PacketProtection(receiveKeys).open(buffer, 6, 6 + packet.length))).toBe("hello");
});

test("PacketProtection.seal() works in place, at an offset, and touches nothing around the packet", () => {
  const out = new Uint8Array(200).fill(0xaa);
  out.set(utf8("hello"), 50 + SEALED_HEADER_BYTES);
  const length = new PacketProtection(sendKeys).seal(out, 50, RECEIVER, PATH, 0x100000002, 5);
  expect(length).toBe(5 + SEALED_OVERHEAD_BYTES);
  const alone = sealed(new PacketProtection(sendKeys), 0x100000002, utf8("hello"));
  expect(out.subarray(50, 50 + length).toHex()).toBe(alone.toHex());
  expect([out.slice(0, 50), out.slice(50 + length)].every((rest) => rest.every((byte) => byte === 0xaa))).toBe(true);
});

test("PacketProtection carries an empty packet and one of 65 535 bytes, and refuses a longer one", () => {
  const [sender, receiver] = [new PacketProtection(sendKeys), new PacketProtection(receiveKeys)];
  for (const [number, size] of [0, 65_535 - SEALED_OVERHEAD_BYTES].entries()) {
    const packet = sealed(sender, number, new Uint8Array(size));
    expect(receiver.open(packet, 0, packet.length)?.length).toBe(size);
  }
  expect(() => sealed(sender, 9, new Uint8Array(65_536 - SEALED_OVERHEAD_BYTES))).toThrow("too long");
});

test("PacketProtection.seal() refuses a packet number not above the last of its path; paths do not mind each other", () => {
  const sender = new PacketProtection(sendKeys);
  sealed(sender, 5, utf8("x"), 1);
  sealed(sender, 2, utf8("x"), 2);
  for (const number of [5, 4, 0]) expect(() => sealed(sender, number, utf8("x"), 1)).toThrow("would repeat");
  sealed(sender, 6, utf8("x"), 1);
  sealed(sender, 3, utf8("x"), 2);
});

test("PacketProtection.seal() takes a number for spent even when there was no room to seal", () => {
  const sender = new PacketProtection(sendKeys);
  expect(() => sender.seal(new Uint8Array(10), 0, RECEIVER, PATH, 5, 100)).toThrow(RangeError);
  expect(() => sealed(sender, 5, utf8("x"))).toThrow("would repeat");
});

test("PacketProtection.seal() refuses counters that the header would cut off", () => {
  const sender = new PacketProtection(sendKeys);
  sealed(sender, MAX_PACKET_NUMBER, utf8("x"), 65_535);
  for (const number of [MAX_PACKET_NUMBER + 1, -1, 0.5, Number.NaN])
    expect(() => sealed(sender, number, utf8("x"))).toThrow("out of range");
  for (const path of [65_536, -1, 1.5]) expect(() => sealed(sender, 0, utf8("x"), path)).toThrow("out of range");
});

test("PacketProtection asks for new keys when both directions together reach the soft limit", () => {
  const [a, b] = [new PacketProtection(sendKeys, limits), new PacketProtection(receiveKeys, limits)];
  for (let number = 0; number < 4; number++) {
    expect([a.needsRekey, b.needsRekey]).toEqual([false, false]);
    pass(a, b, number);
    pass(b, a, number);
  }
  expect([a.needsRekey, b.needsRekey]).toEqual([true, true]);
  expect([a.sealedPackets, a.openedPackets, a.forgedPackets]).toEqual([4, 4, 0]);
});

test("bad input 121: PacketProtection seals and opens nothing more under a key at its hard limit", () => {
  const [a, b] = [new PacketProtection(sendKeys, limits), new PacketProtection(receiveKeys, limits)];
  for (let number = 0; number < 12; number++) pass(a, b, number);
  expect([a.isSpent, b.isSpent]).toEqual([true, false]);
  expect(() => sealed(a, 12, utf8("x"))).toThrow("spent");
  const further = sealed(new PacketProtection(sendKeys), 12, utf8("x"));
  expect(b.open(further, 0, further.length)).toBeNull();
});

test("PacketProtection counts forgeries, and asks for new keys when there are many", () => {
  const receiver = new PacketProtection(receiveKeys, limits);
  const packet = sealed(new PacketProtection(sendKeys), 0, utf8("x"));
  for (let count = 1; count <= 3; count++) {
    expect(receiver.needsRekey).toBe(false);
    expect(receiver.open(packet.with(16, count), 0, packet.length)).toBeNull();
    expect(receiver.forgedPackets).toBe(count);
  }
  expect(receiver.needsRekey).toBe(true);
});

test("PacketProtection.open() refuses its own packets sent back", () => {
  const a = new PacketProtection(sendKeys);
  const packet = sealed(a, 0, utf8("x"));
  expect(a.open(packet, 0, packet.length)).toBeNull();
});

function pass(from: PacketProtection, to: PacketProtection, number: number): void {
  const packet = sealed(from, number, utf8("x"));
  expect(textOf(to.open(packet, 0, packet.length))).toBe("x");
}

function textOf(plaintext: Uint8Array | null): string | null {
  return plaintext === null ? null : new TextDecoder().decode(plaintext);
}
