import { expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { COUNTER_AT, packetNumberAt, typeAt, writeCounter } from "../../../../src/wire/packet/header.ts";
import { KeyRing } from "../../../../src/wire/packet/key-ring.ts";
import { ReplayWindow } from "../../../../src/wire/packet/replay-window.ts";
import { flipBit } from "../../../support/bytes.ts";
import { keysOf, PATH, sealed } from "./packets.ts";

test("bad input 116: a packet with any bit of header, ciphertext or tag turned over is dropped and moves no window", () => {
  const { receive, packet } = link();
  const good = packet(40_000);
  for (let bit = 0; bit < good.length * 8; bit++) expect(receive(flipBit(good, bit))).toBe(false);
  expect(receive(packet(40_001))).toBe(true);
  expect(receive(good)).toBe(true);
});

test("bad input 116: a packet cut short or with a byte more does not open", () => {
  const { receive, packet } = link();
  const good = packet(1);
  for (let length = 0; length < good.length; length++) expect(receive(good.subarray(0, length))).toBe(false);
  for (let length = 32; length < good.length; length++)
    expect(receive(good.slice(0, length).with(2, 0).with(3, length))).toBe(false);
});

test("bad input 116: a repeated packet and one 32 768 numbers back are dropped before they are opened", () => {
  const { receive, packet, opened } = link();
  const [old, edge, newest] = [packet(1), packet(2), packet(32_769)];
  expect([receive(newest), receive(newest), receive(old), receive(edge)]).toEqual([true, false, false, true]);
  expect(opened()).toBe(2);
});

test("bad input 116: a packet whose number was raised by 2^40 does not open", () => {
  const { receive, packet } = link();
  const good = packet(5);
  const raised = good.slice();
  writeCounter(raised, COUNTER_AT, PATH, 5 + 2 ** 40);
  expect([receive(raised), receive(good)]).toEqual([false, true]);
});

test("bad input 116: packets of the next epoch and of two epochs ago are dropped", () => {
  const { receive, packet, ring } = link(7);
  const good = packet(1);
  for (const nibble of [8, 5]) expect(receive(good.with(1, 0x10 | nibble))).toBe(false);
  expect(ring.sending.forgedPackets).toBe(0);
  expect(receive(good)).toBe(true);
});

test("bad input 117: after a forged packet with a far number the real ones are accepted", () => {
  const { receive, packet } = link();
  const real = [packet(1), packet(2)];
  const forged = packet(3).slice();
  writeCounter(forged, COUNTER_AT, PATH, 2 ** 47);
  expect(receive(forged)).toBe(false);
  expect(real.map(receive)).toEqual([true, true]);
});

/** One end that seals and one that receives in the order a session keeps: head, window, opening, and only then the mark. */
function link(epoch = 1) {
  const [sendKeys, receiveKeys] = keysOf(epoch);
  const sender = new KeyRing(sendKeys);
  const ring = new KeyRing(receiveKeys);
  const window = new ReplayWindow();
  const receive = (bytes: Uint8Array): boolean => {
    if (typeAt(bytes, 0, bytes.length) === null || !window.isFresh(packetNumberAt(bytes, 0))) return false;
    if (ring.open(0, bytes, 0, bytes.length) === null) return false;
    window.mark(packetNumberAt(bytes, 0));
    return true;
  };
  const packet = (number: number) => sealed(sender.sending, number, utf8("text"));
  return { receive, packet, ring, opened: () => ring.sending.openedPackets };
}
