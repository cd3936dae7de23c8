import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalIp, formatIp } from "../../../../src/wire/address.ts";
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from "../../../../src/wire/messages/discovery.ts";

const ticketId = Uint8Array.fromHex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
const txid = Uint8Array.fromHex("b0b1b2b3b4b5b6b7b8b9babb");
const hex = (text: string) => text.replaceAll(" ", "");
const withByte = (bytes: Uint8Array, at: number, value: number) => {
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
};

test("encodeRequest() matches PROTOCOL.md §10.1", () => {
  expect(encodeRequest({ ticketId, txid, sequence: 5 }).toHex()).toBe(
    hex(`01 10 0048 ${ticketId.toHex()} ${txid.toHex()} 00000005 ${"00".repeat(20)} ${"00".repeat(16)}`),
  );
});

test("encodeReply() matches PROTOCOL.md §10.1 for both families", () => {
  const head = `02 10 0048 ${ticketId.toHex()} ${txid.toHex()}`;
  const v4 = encodeReply({ ticketId, txid, address: { ip: "203.0.113.7", port: 40_000 }, listener: 1 });
  expect(v4.toHex()).toBe(hex(`${head} 04 2cf1 79b3c5b2 b6b7b8b9babbb0b1b2b3b4b5 01 00000000 ${"00".repeat(16)}`));
  const v6 = encodeReply({ ticketId, txid, address: { ip: "2001:db8::7", port: 40_000 }, listener: 0 });
  expect(v6.toHex()).toBe(hex(`${head} 06 2cf1 92b2b90db6b7b8b9babbb0b1b2b3b4b2 00 00000000 ${"00".repeat(16)}`));
});

test("decodeReply() gives back every address that encodeReply() took", () => {
  const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
  const tx = fc.uint8Array({ minLength: 12, maxLength: 12 });
  const ip = fc
    .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
    .map((bytes) => formatIp(bytes));
  const u16 = fc.nat(0xffff);
  fc.assert(
    fc.property(id, tx, ip, u16, fc.nat(255), (ticketId, txid, ip, port, listener) => {
      const reply = { ticketId, txid, address: { ip, port }, listener };
      expect(decodeReply(encodeReply(reply))).toEqual(reply);
    }),
  );
});

test("decodeRequest() gives back every request that encodeRequest() took", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (sequence) =>
      expect(decodeRequest(encodeRequest({ ticketId, txid, sequence }))).toEqual({ ticketId, txid, sequence }),
    ),
  );
});

test("bad input 9: every non-zero value in every padding byte is refused", () => {
  const request = encodeRequest({ ticketId, txid, sequence: 1 });
  const reply = encodeReply({ ticketId, txid, address: { ip: "203.0.113.7", port: 1 }, listener: 0 });
  for (let value = 1; value < 256; value++) {
    for (let at = 36; at < 56; at++) expect(decodeRequest(withByte(request, at, value))).toBeNull();
    for (let at = 52; at < 56; at++) expect(decodeReply(withByte(reply, at, value))).toBeNull();
  }
});

test("bad input 10: other types, versions and lengths are refused by both decoders", () => {
  const request = encodeRequest({ ticketId, txid, sequence: 1 });
  const reply = encodeReply({ ticketId, txid, address: { ip: "203.0.113.7", port: 1 }, listener: 0 });
  for (let value = 0; value < 256; value++) {
    if (value !== 1) expect(decodeRequest(withByte(request, 0, value))).toBeNull();
    if (value !== 2) expect(decodeReply(withByte(reply, 0, value))).toBeNull();
    if (value !== 0x10) expect(decodeRequest(withByte(request, 1, value))).toBeNull();
    if (value !== 0x10) expect(decodeReply(withByte(reply, 1, value))).toBeNull();
    if (value !== 72) expect(decodeRequest(withByte(request, 3, value))).toBeNull();
  }
  for (const length of [0, 1, 71]) expect(decodeRequest(request.subarray(0, length))).toBeNull();
  expect(decodeReply(new Uint8Array([...reply, 0]))).toBeNull();
});

test("decodeReply() refuses a second spelling of an IPv4 address", () => {
  const mapped = encodeReply({ ticketId, txid, address: { ip: "203.0.113.7", port: 1 }, listener: 0 });
  expect(decodeReply(withByte(mapped, 32, 6))).not.toBeNull(); // cb00:7107:: is an address of its own
  const asIpv6 = mapped.slice();
  asIpv6[32] = 6;
  const ffff = [...new Uint8Array(10), 0xff, 0xff, 203, 0, 113, 7];
  for (const [index, byte] of ffff.entries()) asIpv6[35 + index] = byte ^ (txid[(index + 2) % 12] ?? 0);
  expect(decodeReply(asIpv6)).toBeNull();
  expect(decodeReply(withByte(mapped, 32, 5))).toBeNull();
  expect(decodeReply(withByte(mapped, 45, 0))).toBeNull(); // the twelve bytes behind an IPv4 address are zero
});

test("decodeReply() of random bytes behind a right head gives a canonical address or nothing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 68, maxLength: 68 }), fc.constantFrom(4, 6), (rest, family) => {
      const datagram = withByte(new Uint8Array([2, 0x10, 0, 72, ...rest]).fill(0, 52, 56), 32, family);
      const reply = decodeReply(datagram);
      if (reply !== null) expect(canonicalIp(reply.address.ip)).toBe(reply.address.ip);
    }),
  );
});
