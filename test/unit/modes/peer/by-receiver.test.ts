import { expect, test } from "bun:test";
import { byReceiver } from "../../../../src/modes/peer/by-receiver.ts";
import { concat } from "../../../../src/wire/bytes.ts";
import { packetType, writeHead, writeReceiverIndex } from "../../../../src/wire/packet/header.ts";

/** What looks like a sealed packet for this receiver. */
function packet(index: number, length: number, says = length): Uint8Array {
  const out = new Uint8Array(length).fill(7);
  writeHead(out, 0, packetType.sealed, 0, says);
  writeReceiverIndex(out, 0, index);
  return out;
}

/** Lengths of the parts for whoever has index 1 or 2. */
function lengths(...parts: readonly Uint8Array[]): number[] {
  return [...byReceiver(concat(...parts), (index) => index === 1 || index === 2)].map(({ length }) => length);
}

test("byReceiver() gives each receiver its own packets, together where they follow one another", () => {
  expect(lengths(packet(1, 1_452))).toEqual([1_452]);
  expect(lengths(packet(1, 1_452), packet(1, 1_452), packet(1, 90))).toEqual([2_994]);
  expect(lengths(packet(1, 1_452), packet(2, 1_452), packet(2, 1_452), packet(1, 90))).toEqual([1_452, 2_904, 90]);
});

test("byReceiver() takes no word of a forged first packet for what lies behind it", () => {
  for (const length of [1_200, 1_452, 8_952]) {
    const good = [packet(1, length), packet(1, length), packet(2, length), packet(2, 100)];
    // Within it a head that claims all the rest for somebody else.
    const nested = packet(3, length, 40);
    nested.set(packet(9, 40, 4 * length + 100 - 40), 40);
    for (const forged of [
      new Uint8Array(length),
      nested,
      packet(3, length, 60_000),
      packet(3, length, 4 * length + 100),
    ])
      expect(lengths(forged, ...good)).toEqual([length, 2 * length, length + 100]);
    // Who is known by name takes the buffer apart himself.
    expect(lengths(packet(1, length, 33), ...good)).toEqual([3 * length, length + 100]);
  }
});
