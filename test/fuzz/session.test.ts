import { expect, setDefaultTimeout, test } from "bun:test";
import { concat } from "../../src/wire/bytes.ts";
import { frames } from "../../src/wire/messages/session.ts";
import { type Route, SERVER_ROUTE } from "../../src/wire/session/route.ts";
import { packValue } from "../../src/wire/codec/msgpack.ts";
import type { SimEnd } from "../sim/end.ts";
import { SimNetwork } from "../sim/network.ts";
import { links, SimPair } from "../sim/pair.ts";
import { RawPeer } from "../sim/raw-peer.ts";
import { Seeded } from "../sim/seeded.ts";
import { Transfer } from "../sim/transfer.ts";

setDefaultTimeout(600_000);

const packets = Number(process.env["P2P_FUZZ_PACKETS"] ?? 1_000_000);
const seed = Number(process.env["P2P_SIM_SEED"] ?? 1);

/** Bytes in use after all garbage is gone. */
function heapBytes(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}

/** Something like a packet that was really sent: changed, cut, lengthened, joined with another, repeated, or not like one at all. */
function hostile(random: Seeded, corpus: readonly Uint8Array[]): Uint8Array {
  const pick = () => corpus[random.between(0, corpus.length - 1)] ?? new Uint8Array();
  const one = pick().slice();
  const at = () => random.between(0, one.length - 1);
  switch (random.between(0, 8)) {
    case 0:
      return random.bytes(random.between(0, 1_500));
    case 1:
      return one.slice(0, random.between(0, one.length));
    case 2:
      return concat(one, random.bytes(random.between(1, 64)));
    case 3:
      one[at()] = random.between(0, 255);
      return concat(one, pick());
    case 4:
      return one;
    case 5:
      one.set(random.bytes(random.between(1, 16)), 0);
      return one;
    case 6: // another path, number, index or epoch
      one[random.between(1, 15)] = random.between(0, 255);
      return one;
    default:
      for (let edits = random.between(1, 4); edits > 0; edits--) one[at()] = random.between(0, 255);
      return one;
  }
}

test(`${packets} hostile datagrams at an established pair: nothing is thrown, delivered, answered or kept: seed ${seed}`, () => {
  const network = new SimNetwork(seed);
  const random = new Seeded(seed);
  const pair = new SimPair(network);
  const direct = pair.addRoute(links.home);
  pair.open(direct);
  pair.a.isCapturing = pair.b.isCapturing = true;
  const transfers = [pair.a, pair.b].map(
    (end) => new Transfer(end, end.session.openStream("bulk"), random.bytes(40_000)),
  );
  network.runUntil(
    () => transfers[0]?.hasArrived(pair.b) === true && transfers[1]?.hasArrived(pair.a) === true,
    30_000,
    "data",
  );
  network.runFor(3_000);
  pair.a.isCapturing = pair.b.isCapturing = false;
  const routes = (end: SimEnd): Route[] => [
    SERVER_ROUTE,
    end === pair.a ? direct.fromA : direct.fromB,
    { kind: "udp", socket: 9, remote: { ip: "192.0.2.1", port: random.between(1, 65_535) } },
  ];
  const corpus = new Map([
    [pair.a, pair.b.captured.map(({ bytes }) => bytes)],
    [pair.b, pair.a.captured.map(({ bytes }) => bytes)],
  ]);
  const throwAt = (end: SimEnd, count: number) => {
    for (let index = 0; index < count; index++) {
      const datagram = hostile(random, corpus.get(end) ?? []);
      end.session.handleDatagram(network.now, datagram, routes(end)[random.between(0, 2)] ?? SERVER_ROUTE);
      const [event, transmit] = [end.session.pollEvent(), end.session.pollTransmit(network.now)];
      if (event !== null || transmit !== null) throw new Error(`seed ${seed}: ${datagram.toHex()} had an effect`);
    }
  };
  const before = [pair.a, pair.b].map((end) => end.session.stats());
  throwAt(pair.a, packets / 10);
  const heapBefore = heapBytes();
  throwAt(pair.a, (packets * 4) / 10);
  throwAt(pair.b, packets / 2);
  expect(heapBytes() - heapBefore).toBeLessThan(5_000_000);
  for (const [index, end] of [pair.a, pair.b].entries()) {
    const { openedPackets, receivedBytes, sentBytes } = end.session.stats();
    expect(before[index]).toMatchObject({ openedPackets, receivedBytes, sentBytes });
  }
  const after = new Transfer(pair.a, pair.a.session.openStream("bulk"), random.bytes(40_000));
  network.runUntil(() => after.hasArrived(pair.b), 5_000, "what is sent afterwards");
});

test(`${Math.round(packets / 15)} hostile plaintexts from the peer itself are ignored or end the session, and never throw: seed ${seed}`, () => {
  const random = new Seeded(seed);
  const byte = () => random.between(0, 255);
  const number = () =>
    [random.between(0, 5), byte(), random.between(0, 70_000), Number.MAX_SAFE_INTEGER - byte()][random.between(0, 3)] ??
    0;
  const samples = (): Uint8Array[] => [
    packValue([2, number(), number(), random.chance(0.3), random.bytes(random.between(0, 200))]),
    packValue([
      2,
      [0, 2, 5, 13][random.between(0, 3)] ?? 0,
      random.between(0, 900),
      random.chance(0.02),
      random.bytes(random.between(0, 200)),
    ]),
    packValue([
      1,
      random.between(0, 4),
      random.between(0, 12),
      number(),
      random.between(0, 3),
      [random.between(0, 2), random.between(0, 2)],
    ]),
    packValue([random.between(3, 20), number(), number(), number()]),
    packValue([random.between(10, 17), number(), random.bytes(random.between(0, 120))]),
    frames.encode({ kind: "rekey", epoch: 1, handshake: random.bytes(100) }),
    frames.encode({ kind: "candidate", type: byte(), address: random.bytes(4), port: 1 }),
    new Uint8Array(random.between(1, 40)).fill(0xc0),
    random.bytes(random.between(0, 60)),
  ];
  let peer = new RawPeer(true);
  let [ended, rounds] = [0, 0];
  for (; rounds < Math.round(packets / 15); rounds++) {
    const all = samples();
    const chosen = Array.from({ length: random.between(1, 3) }, () => all[random.between(0, all.length - 1)]);
    let plaintext = concat(...chosen.filter((each) => each !== undefined));
    if (random.chance(0.3) && plaintext.length > 0) plaintext[random.between(0, plaintext.length - 1)] = byte();
    if (plaintext.length > 1_400) plaintext = plaintext.slice(0, 1_400);
    peer.say(plaintext, [0, 1, 1, 1, 3, byte()][random.between(0, 5)] ?? 1);
    while (peer.session.read(2) !== null);
    if (random.chance(0.1)) peer.run(random.between(0, 2_000));
    if (peer.closed === undefined && peer.session.pollTimeout() !== null) continue;
    ended++;
    peer = new RawPeer(random.chance(0.5));
  }
  expect(ended).toBeGreaterThan(rounds / 100);
});
