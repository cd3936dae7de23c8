import { expect, setDefaultTimeout, test } from "bun:test";
import { concat } from "../../src/wire/bytes.ts";
import { packValue } from "../../src/wire/codec/msgpack.ts";
import type { Route } from "../../src/wire/session/route.ts";
import { RawPeer } from "./raw-peer.ts";
import { Seeded } from "./seeded.ts";
import { seeds } from "./seeds.ts";

setDefaultTimeout(60_000);

const from: Route = { kind: "udp", socket: 1, remote: { ip: "192.0.2.9", port: 909 } };
/** Of the chat stream; one piece for each packet. Bytes. */
const PIECE_BYTES = 5;

/** A buffer of receive offload: full packets, the last one perhaps shorter. Each brings the next piece of the chat stream. */
class Bursts {
  readonly peer = new RawPeer(true);
  #pieces = 0;

  next(count: number, packetBytes: number, lastBytes: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) => {
      const piece = packValue([2, 2, PIECE_BYTES * this.#pieces++, false, new Uint8Array(PIECE_BYTES).fill(index)]);
      const bytes = index === count - 1 ? lastBytes : packetBytes;
      return this.peer.seal(concat(piece, new Uint8Array(bytes - 32 - piece.length).fill(0xc0)), 3);
    });
  }
}

/** What somebody may put in the place of a datagram without knowing any key: as long as it, or the kernel would not have joined them. */
function forgeries(random: Seeded, packet: Uint8Array, before: Uint8Array): readonly Uint8Array[] {
  const changed = (at: number, ...bytes: readonly number[]) => {
    const copy = packet.slice();
    copy.set(bytes.slice(0, packet.length - at), at);
    return copy;
  };
  const lie = random.between(0, 0xffff);
  const head = packet.slice(0, 16);
  const filled = new Uint8Array(packet.length).map((_, index) => head[index % 16] ?? 0);
  return [
    changed(packet.length - 1, (packet.at(-1) ?? 0) ^ 1), // another tag
    changed(random.between(16, packet.length - 1), random.between(0, 255), 0xaa),
    changed(2, lie >> 8, lie & 255), // another length
    changed(2, 0, 32),
    changed(2, 0, 0),
    changed(0, 0), // no packet of ours
    changed(4, 9, 9, 9, 9), // another receiver
    random.bytes(packet.length),
    new Uint8Array(packet.length),
    filled, // heads behind each other
    before.length === packet.length ? before : new Uint8Array(packet.length).fill(3), // one that came before
  ];
}

for (const seed of seeds(20))
  test(`bad input 116: one forged segment anywhere in a buffer of receive offload costs itself alone: seed ${seed}`, () => {
    const random = new Seeded(seed);
    for (let round = 0; round < 30; round++) {
      const count = random.between(3, 45);
      const packetBytes = random.chance(0.5) ? 1_200 : random.between(100, 1_472);
      const lastBytes = random.chance(0.5) ? packetBytes : random.between(64, packetBytes);
      const at = round < 10 ? 0 : random.between(0, count - 1);
      const bursts = new Bursts();
      // From a source that was heard before, from one that sent other lengths, and from one never heard.
      if (round % 3 < 2) bursts.peer.deliver(concat(...bursts.next(3, packetBytes - (round % 3), 90)), from);
      const packets = bursts.next(count, packetBytes, lastBytes);
      const all = forgeries(random, packets[at] ?? new Uint8Array(), packets[(at + 1) % count] ?? new Uint8Array());
      const forged = all[round % all.length] ?? new Uint8Array();
      const before = bursts.peer.session.stats().openedPackets;
      bursts.peer.deliver(concat(...packets.with(at, forged)), from);
      const opened = bursts.peer.session.stats().openedPackets - before;
      expect([round, opened]).toEqual([round, count - 1]);
      expect(bursts.peer.closed).toBeUndefined();
    }
  });
