import { expect, test } from "bun:test";
import fc from "fast-check";
import { concat } from "../../../../src/wire/bytes.ts";
import {
  packetType,
  type PacketType,
  receiverIndexAt,
  writeHead,
  writeReceiverIndex,
} from "../../../../src/wire/packet/header.ts";
import { runsOf } from "../../../../src/wire/packet/runs.ts";
import { Seeded } from "../../../sim/seeded.ts";

function packet(index: number, length: number, says = length): Uint8Array {
  const out = new Uint8Array(length).fill(7);
  writeHead(out, 0, packetType.sealed, 0, says);
  writeReceiverIndex(out, 0, index);
  return out;
}

function request(type: PacketType, length: number): Uint8Array {
  const out = new Uint8Array(length);
  writeHead(out, 0, type, 0, length);
  return out;
}

/** `INDEX:BYTES/STRIDE` of each run of sealed packets, `tTYPE:BYTES` of others. */
function runs(...parts: readonly Uint8Array[]): string[] {
  const buffer = concat(...parts);
  return [...runsOf(buffer)].map(({ type, start, end, stride }) =>
    type === packetType.sealed
      ? `${receiverIndexAt(buffer, start)}:${end - start}/${stride}`
      : `t${type}:${end - start}`,
  );
}

test("runsOf() keeps a burst of one receiver in one piece, a shorter last packet with it", () => {
  expect(runs(packet(1, 90))).toEqual(["1:90/90"]);
  expect(runs(packet(1, 1_200), packet(1, 1_200), packet(1, 90))).toEqual(["1:2490/1200"]);
});

test("runsOf() takes two sessions of one socket apart that come interleaved at equal size", () => {
  const [a, b] = [packet(1, 1_200), packet(2, 1_200)];
  expect(runs(a, b, a, a, b, packet(2, 50))).toEqual(["1:1200/1200", "2:1200/1200", "1:2400/1200", "2:1250/1200"]);
});

test("runsOf() finds questions to the server among packets of their length, and alone", () => {
  const [leg, discovery] = [request(packetType.legRequest, 156), request(packetType.discoveryRequest, 72)];
  expect(runs(leg)).toEqual(["t5:156"]);
  expect(runs(leg, leg, packet(1, 156), discovery)).toEqual(["t5:156", "t5:156", "1:156/156", "t1:72"]);
  expect(runs(packet(1, 1_200), leg)).toEqual(["1:1200/1200", "t5:156"]);
});

test("runsOf() hands on no question with something behind it that is nothing of ours", () => {
  expect(runs(request(packetType.discoveryRequest, 72), Uint8Array.of(0))).toEqual([]);
  expect(runs(packet(1, 100), new Uint8Array(30))).toEqual(["1:100/100"]);
});

test("runsOf() takes no word of a forged first packet for what lies behind it", () => {
  const good = [packet(1, 1_200), packet(1, 1_200), packet(2, 1_200), packet(2, 100)];
  for (const forged of [new Uint8Array(1_200), packet(3, 1_200, 40), packet(3, 1_200, 4_900), packet(3, 1_200, 60_000)])
    expect(runs(forged, ...good)).toEqual(["1:2400/1200", "2:1300/1200"]);
});

test("bad input 1: of noise of any length nothing is handed on", () => {
  const random = new Seeded(1).bytes;
  for (const length of [1, 15, 71, 1_500, 9_000, 65_507]) {
    const noise = random(length);
    noise[0] = 0x80;
    expect([...runsOf(noise)].flatMap(({ type }) => (type === packetType.sealed ? [] : [type]))).toEqual([]);
  }
});

const pieces = fc.array(fc.record({ index: fc.nat(2), isQuestion: fc.boolean() }), { minLength: 1, maxLength: 40 });

test("runsOf() gives back every datagram that the kernel has joined, in order, each once", () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: 32, max: 155 }), (parts, last) => {
      const datagrams = parts.map(({ index, isQuestion }) =>
        isQuestion ? request(packetType.legRequest, 156) : packet(index, 156),
      );
      const buffer = concat(...datagrams, packet(9, last));
      const bytes = [...runsOf(buffer)].flatMap(({ start, end }) => [...buffer.subarray(start, end)]);
      expect(bytes).toEqual([...buffer]);
      for (const { start, end, stride } of runsOf(buffer))
        for (let at = start; at < end; at += stride)
          expect(receiverIndexAt(buffer, at)).toBe(receiverIndexAt(buffer, start));
    }),
  );
});
