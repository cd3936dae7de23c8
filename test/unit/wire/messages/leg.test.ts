import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeLegReply,
  decodeLegRequest,
  encodeLegReply,
  encodeLegRequest,
  isLegRequest,
} from "../../../../src/wire/messages/leg.ts";
import { LEG_REPLY_BYTES, LEG_REQUEST_BYTES } from "../../../../src/wire/limits.ts";
import { packetType, typeAt } from "../../../../src/wire/packet/header.ts";

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const some = { leg: new Uint8Array(16).fill(1), sequence: 1, cookie: new Uint8Array(16).fill(2) };

test("decodeLegRequest() gives back every request that encodeLegRequest() took", () => {
  fc.assert(
    fc.property(sixteen, u32, sixteen, fc.array(u32, { maxLength: 24 }), (leg, sequence, cookie, indexes) => {
      const request = { leg, sequence, cookie, indexes };
      expect(decodeLegRequest(encodeLegRequest(request))).toEqual(request);
    }),
  );
});

test("decodeLegReply() gives back every reply that encodeLegReply() took", () => {
  fc.assert(
    fc.property(
      sixteen,
      u32,
      sixteen,
      fc.boolean(),
      fc.nat(0xff_ffff),
      (leg, sequence, cookie, isRegistered, refused) => {
        const reply = { leg, sequence, cookie, isRegistered, refused };
        expect(decodeLegReply(encodeLegReply(reply))).toEqual(reply);
      },
    ),
  );
});

test("a reply is shorter than its request, and both have heads of their own type", () => {
  const request = encodeLegRequest({ ...some, indexes: [] });
  const reply = encodeLegReply({ ...some, isRegistered: true, refused: 0 });
  expect(reply.length).toBeLessThan(request.length);
  expect([request.length, reply.length]).toEqual([LEG_REQUEST_BYTES, LEG_REPLY_BYTES]);
  expect(typeAt(request, 0, request.length)).toBe(packetType.legRequest);
  expect(typeAt(reply, 0, reply.length)).toBe(packetType.legReply);
  expect([isLegRequest(request), isLegRequest(reply)]).toEqual([true, false]);
});

test("encodeLegRequest() refuses more indexes than there is room for", () => {
  expect(() => encodeLegRequest({ ...some, indexes: Array.from({ length: 25 }, (_, index) => index) })).toThrow(
    RangeError,
  );
});

test("bad input 9: what a request does not use must be zero, and its count be one there is room for", () => {
  const request = encodeLegRequest({ ...some, indexes: [7] });
  for (let at = 41; at < 44; at++) expect(decodeLegRequest(withByte(request, at, 1))).toBeNull();
  for (let at = 48; at < 140; at++) expect(decodeLegRequest(withByte(request, at, 1))).toBeNull();
  for (let count = 25; count < 256; count++) expect(decodeLegRequest(withByte(request, 40, count))).toBeNull();
});

test("bad input 1: other lengths and heads are neither request nor reply", () => {
  const request = encodeLegRequest({ ...some, indexes: [7] });
  const reply = encodeLegReply({ ...some, isRegistered: true, refused: 0 });
  for (const length of [0, 1, 43, 59, 61, 155, 157, 1_500, 65_507]) {
    const [longer, shorter] = [new Uint8Array(length), new Uint8Array(length)];
    longer.set(request.subarray(0, length));
    shorter.set(reply.subarray(0, length));
    expect([decodeLegRequest(longer), decodeLegReply(shorter)]).toEqual([null, null]);
  }
  for (let at = 0; at < 4; at++) {
    expect(decodeLegRequest(withByte(request, at, 0x77))).toBeNull();
    expect(decodeLegReply(withByte(reply, at, 0x77))).toBeNull();
  }
  for (let kind = 2; kind < 256; kind++) expect(decodeLegReply(withByte(reply, 40, kind))).toBeNull();
});

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const changed = bytes.slice();
  changed[at] = value;
  return changed;
}
