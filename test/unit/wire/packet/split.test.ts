import { expect, test } from "bun:test";
import fc from "fast-check";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { PacketProtection } from "../../../../src/wire/packet/protection.ts";
import { BurstSplitter, splitByLength } from "../../../../src/wire/packet/split.ts";
import { burst, keysOf, sealed } from "./packets.ts";

const [sendKeys, receiveKeys] = keysOf(1);

test("splitByLength() yields whole packets of any length, and drops what follows them", () => {
  const sender = new PacketProtection(sendKeys);
  const packets = [10, 1_000, 0, 37].map((size, index) => sealed(sender, index, new Uint8Array(size)));
  expect([...splitByLength(burst(...packets))]).toEqual(packets);
  for (const tail of [utf8("tail"), (packets[1] ?? utf8("")).subarray(0, -1)])
    expect([...splitByLength(burst(...packets, tail))]).toEqual(packets);
});

test("splitByLength() ends on any bytes, with pieces that follow one another", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const joined = burst(...splitByLength(bytes));
    expect(joined).toEqual(bytes.slice(0, joined.length));
  });
  fc.assert(property);
});

test("BurstSplitter takes a burst apart, the last packet shorter", () => {
  const link = new Link();
  expect(link.receive(burst(link.packet("one"), link.packet("two"), link.packet("3")))).toEqual(["one", "two", "3"]);
});

test("BurstSplitter opens a lone packet once", () => {
  const link = new Link();
  expect(link.receive(link.packet("one"))).toEqual(["one"]);
  expect(link.attempts).toBe(1);
});

test("BurstSplitter drops a packet that is not as long as its datagram", () => {
  const link = new Link();
  const [one, two, three] = [link.packet("one"), link.packet("2"), link.packet("333")];
  expect(link.receive(burst(one, two, Uint8Array.of(0, 0), three))).toEqual(["one", "333"]);
});

test("BurstSplitter finds the others behind a first packet that does not open but is as long as they", () => {
  const link = new Link();
  const [one, two, three] = [link.packet("one"), link.packet("two"), link.packet("333")];
  expect(link.receive(burst(spoilt(one), two, three))).toEqual(["two", "333"]);
});

test("BurstSplitter finds them as well when bursts of that source had another stride before", () => {
  for (const before of ["x", "a longer text", "a text longer than all three packets together".repeat(3)]) {
    const link = new Link();
    link.receive(burst(link.packet(before), link.packet(before)));
    const [one, two, three] = [link.packet("one"), link.packet("two"), link.packet("333")];
    expect(link.receive(burst(spoilt(one), two, three))).toEqual(["two", "333"]);
  }
});

test("BurstSplitter falls back to the stride last authenticated when a forged first packet lies about its length", () => {
  for (const lie of lies) {
    const link = new Link();
    link.receive(burst(link.packet("one"), link.packet("two")));
    expect(link.receive(burst(lie(link.packet("???")), link.packet("six"), link.packet("7")))).toEqual(["six", "7"]);
  }
});

test("BurstSplitter keeps to the stride last authenticated when a second packet of a burst is forged as well", () => {
  const link = new Link();
  link.receive(burst(link.packet("one"), link.packet("two")));
  const forged = [withLength(link.packet("???"), 34), new Uint8Array(35)];
  expect(link.receive(burst(...forged, link.packet("six"), link.packet("7")))).toEqual(["six", "7"]);
});

test("BurstSplitter finds the stride behind a first packet that lies, just when it has changed, whatever it is", () => {
  for (const before of [60, 1_200, 1_452, 8_952])
    for (const now of [1_200, 1_452, 8_952])
      for (const lie of lies) {
        const link = new Link();
        link.receive(burst(link.packet("b".repeat(before - 32)), link.packet("b")));
        const full = (text: string) => link.packet(text.repeat(now - 32));
        const bytes = burst(lie(full("1")), full("2"), full("3"), link.packet("the last"));
        expect(link.receive(bytes).map((text) => text[0])).toEqual(["2", "3", "t"]);
        // From then on it is known, and two may lie.
        const again = burst(lie(full("1")), withLength(full("2"), 34), link.packet("the last"));
        expect(link.receive(again)).toEqual(["the last"]);
      }
});

test("BurstSplitter does not take a forged length for a stride to remember", () => {
  const link = new Link();
  link.receive(burst(link.packet("one"), link.packet("two")));
  for (let round = 0; round < 3; round++) link.receive(withLength(link.packet("forged"), 33));
  expect(link.receive(burst(withLength(link.packet("???"), 34), link.packet("six"), link.packet("7")))).toEqual([
    "six",
    "7",
  ]);
});

test("BurstSplitter takes each length in turn from a source it knows nothing of", () => {
  const link = new Link();
  const [one, two, three] = [link.packet("a longer one"), link.packet("two"), link.packet("a third")];
  expect(link.receive(burst(spoilt(one), two, three))).toEqual(["two", "a third"]);
});

test("BurstSplitter opens nothing twice and stays in the buffer, whatever the bytes", () => {
  const splitter = new BurstSplitter();
  const buffers = fc.array(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.nat(60).map(packetOf)), { maxLength: 6 });
  const property = fc.property(buffers, fc.infiniteStream(fc.boolean()), (parts, answers) => {
    const bytes = burst(...parts);
    const seen: [number, number][] = [];
    splitter.split(bytes, (_, start, end) => {
      seen.push([start, end]);
      return answers.next().value === true;
    });
    for (const [index, [start, end]] of seen.entries()) {
      expect(start).toBeGreaterThanOrEqual(seen[index - 1]?.[1] ?? 0);
      expect(end > start && end <= bytes.length).toBe(true);
    }
  });
  fc.assert(property);
});

/** Of a first packet of 35 bytes before one of 35 and one of 33: less, more, two packets, the whole buffer, beyond it. */
const lies = [0, 4, 33, 34, 60, 70, 103, 104, 65_535].map(
  (length) => (packet: Uint8Array) => withLength(packet, length),
);

/** A sender and, behind a splitter, the receiver of what it seals. */
class Link {
  attempts = 0;
  readonly #sender = new PacketProtection(sendKeys);
  readonly #receiver = new PacketProtection(receiveKeys);
  readonly #splitter = new BurstSplitter();
  #next = 0;

  packet(text: string): Uint8Array {
    return sealed(this.#sender, this.#next++, utf8(text));
  }

  receive(bytes: Uint8Array): string[] {
    const texts: string[] = [];
    this.#splitter.split(bytes, (buffer, start, end) => {
      this.attempts++;
      const plaintext = this.#receiver.open(buffer, start, end);
      if (plaintext !== null) texts.push(new TextDecoder().decode(plaintext));
      return plaintext !== null;
    });
    return texts;
  }
}

function packetOf(size: number): Uint8Array {
  return sealed(new PacketProtection(sendKeys), 0, new Uint8Array(size));
}

function spoilt(packet: Uint8Array): Uint8Array {
  return packet.with(20, (packet[20] ?? 0) ^ 1);
}

function withLength(packet: Uint8Array, length: number): Uint8Array {
  return packet.with(2, length >> 8).with(3, length & 255);
}
