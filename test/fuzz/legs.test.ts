import { expect, test } from "bun:test";
import fc from "fast-check";
import { UdpEntry } from "../../src/modes/server/udp-entry.ts";
import { UdpOutlet } from "../../src/modes/server/udp-outlet.ts";
import type { UdpAddress } from "../../src/wire/address.ts";
import { concat, utf8 } from "../../src/wire/bytes.ts";
import { LEG_REPLY_BYTES, LEG_REQUEST_BYTES } from "../../src/wire/limits.ts";
import { decodeLegReply, encodeLegReply, encodeLegRequest } from "../../src/wire/messages/leg.ts";
import { lengthAt, packetType, receiverIndexAt, writeHead, writeReceiverIndex } from "../../src/wire/packet/header.ts";
import { runsOf } from "../../src/wire/packet/runs.ts";
import { LegClient, waysTo } from "../../src/wire/relay/leg-client.ts";
import { deriveLegKeys, signLeg } from "../../src/wire/relay/leg-keys.ts";
import { Seeded } from "../sim/seeded.ts";
import { House, type LocalPeer } from "../unit/modes/server/house.ts";
import { NO_COOKIE, RelayPlace } from "../unit/wire/relay/relay-place.ts";

const anasHome: UdpAddress = { ip: "198.51.100.7", port: 40_000 };
const bensHome: UdpAddress = { ip: "192.0.2.9", port: 50_000 };
const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);
const BUFFERS = 100_000;

function packet(index: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  writeHead(out, 0, packetType.sealed, 0, length);
  writeReceiverIndex(out, 0, index);
  return out;
}

const edits = fc.array(fc.record({ at: fc.nat(155), value: fc.nat(255) }), { minLength: 1, maxLength: 4 });

function edited(bytes: Uint8Array, changes: readonly { at: number; value: number }[], length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(bytes.subarray(0, length));
  for (const { at, value } of changes) if (at < length) out[at] = value;
  return out;
}

test("bad inputs 1, 99: a server answers no random datagram and no mutation of a right request for a leg", () => {
  const place = new RelayPlace();
  const [ana] = place.pair("ana", "ben");
  const good = place.request(ana, NO_COOKIE, [1, 2, 3]);
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ minLength: LEG_REQUEST_BYTES, maxLength: LEG_REQUEST_BYTES }),
  );
  fc.assert(
    fc.property(anything, (datagram) => expect(place.say(datagram, anasHome)).toBeNull()),
    { numRuns: 20_000 },
  );
  fc.assert(
    fc.property(edits, fc.integer({ min: 140, max: 170 }), (changes, length) => {
      const datagram = edited(good, changes, length);
      fc.pre(!Buffer.from(datagram).equals(good));
      expect(place.say(datagram, anasHome)).toBeNull();
    }),
    { numRuns: 20_000 },
  );
  expect(place.say(good, anasHome)).not.toBeNull();
});

test("a peer believes no random datagram and no mutation of a right answer about a leg", () => {
  const [leg, key] = [new Uint8Array(16).fill(1), new Uint8Array(32).fill(2)];
  const client = new LegClient({ leg, key, random: new Seeded(seed).bytes });
  const [way] = waysTo([{ socket: 0, family: 4 }], [{ ip: "203.0.113.1", port: 7_420 }]);
  if (way === undefined) throw new Error("no way");
  client.start(0, [way]);
  client.handleTimeout(0);
  client.pollTransmit();
  const reply = encodeLegReply({
    leg,
    sequence: 1,
    cookie: new Uint8Array(16).fill(3),
    isRegistered: true,
    refused: 0,
  });
  const good = signLeg(deriveLegKeys(key).reply, reply);
  const anything = fc.uint8Array({ minLength: LEG_REPLY_BYTES, maxLength: LEG_REPLY_BYTES });
  const before = client.pollTimeout();
  const expectNothing = (datagram: Uint8Array) => {
    client.handleDatagram(1, datagram, way);
    expect([client.pollEvent(), client.pollTransmit(), client.pollTimeout()]).toEqual([null, null, before]);
  };
  fc.assert(fc.property(anything, expectNothing), { numRuns: 10_000 });
  fc.assert(
    fc.property(edits, (changes) => {
      const datagram = edited(good, changes, LEG_REPLY_BYTES);
      fc.pre(!Buffer.from(datagram).equals(good));
      expectNothing(datagram);
    }),
    { numRuns: 10_000 },
  );
});

/** Two people, bound, and what the server sends. */
class Relayed implements AsyncDisposable {
  readonly house: House;
  readonly entry: UdpEntry;
  readonly sent: { readonly bytes: Uint8Array; readonly to: UdpAddress }[] = [];
  readonly outlet = new UdpOutlet({
    send: (bytes, to) => {
      this.sent.push({ bytes: bytes.slice(), to });
      return true;
    },
    drop: () => undefined,
  });

  private constructor(house: House) {
    this.house = house;
    this.entry = new UdpEntry(house.services.discovery, house.services.udpRelay);
  }

  static async open(): Promise<Relayed> {
    const house = await House.open({ limits: { "limit-relay-rate": 0, "limit-relay-daily": 0 } });
    const relayed = new Relayed(house);
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = house.random(16);
    const previews = [{ device: ben.deviceId, sealed: utf8("x") }];
    ana.tell({ kind: "ring", session, name: "ben", purpose: 1, previews });
    await ben.hear("incoming");
    ben.tell({ kind: "accept", session, versions: Uint8Array.of(1), handshake: utf8("first"), hidden: false });
    await Promise.all([ana.hear("observed"), ben.hear("observed")]);
    await relayed.#bind(ana, session, anasHome, [1]);
    await relayed.#bind(ben, session, bensHome, [2]);
    return relayed;
  }

  async #bind(peer: LocalPeer, session: Uint8Array, from: UdpAddress, indexes: readonly number[]): Promise<void> {
    const given = await peer.request({ kind: "openLeg", session });
    if (given.kind !== "leg") throw new Error(given.kind);
    const keys = deriveLegKeys(given.key);
    let cookie: Uint8Array = new Uint8Array(16);
    for (let sequence = 1; sequence <= 2; sequence++) {
      const request = encodeLegRequest({ leg: given.leg, sequence, cookie, indexes });
      this.entry.handle(signLeg(keys.request, request), from, 0, this.outlet);
      cookie = decodeLegReply(this.sent.pop()?.bytes ?? new Uint8Array())?.cookie ?? cookie;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.house[Symbol.asyncDispose]();
  }
}

/** What a socket with receive offload may hand over: joined datagrams, some of them changed, cut or made up. */
function hostileBuffer(random: Seeded): Uint8Array {
  const length = random.between(32, 1_600);
  const parts = Array.from({ length: random.between(1, 12) }, () => {
    const roll = random.fraction();
    if (roll < 0.6) return packet(random.between(0, 4), length);
    if (roll < 0.8) return random.bytes(length);
    const lying = packet(2, length);
    writeHead(lying, 0, packetType.sealed, 0, random.between(0, 65_535));
    return lying;
  });
  const buffer = concat(...parts, packet(2, random.between(32, length)));
  for (let flips = random.between(0, 3); flips > 0; flips--)
    buffer[random.between(0, buffer.length - 1)] = random.between(0, 255);
  return buffer.subarray(0, random.chance(0.2) ? random.between(1, buffer.length) : buffer.length);
}

test(`bad inputs 100 to 103: of ${BUFFERS} hostile buffers nothing goes where it should not, and less leaves than came (seed ${seed})`, async () => {
  await using relayed = await Relayed.open();
  const random = new Seeded(seed);
  const strangers = [anasHome, bensHome, { ip: "192.0.2.66", port: 6_666 }] as const;
  let forwarded = 0;
  for (let round = 0; round < BUFFERS; round++) {
    const buffer = hostileBuffer(random);
    const from = strangers[random.between(0, 2)] ?? anasHome;
    relayed.entry.handle(buffer, from, 0, relayed.outlet);
    const sent = relayed.sent.splice(0);
    forwarded += sent.length;
    expect(sent.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(buffer.length);
    for (const { bytes, to } of sent) {
      expect(from).toBe(to === bensHome ? anasHome : bensHome);
      expect(lengthAt(bytes, 0)).toBeLessThanOrEqual(1_500);
      const runs = [...runsOf(bytes)];
      expect(runs.map(({ start }) => receiverIndexAt(bytes, start))).toEqual([to === bensHome ? 2 : 1]);
      expect([runs[0]?.start, runs[0]?.end]).toEqual([0, bytes.length]);
    }
    if (round % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(forwarded).toBeGreaterThan(BUFFERS / 10);
}, 60_000);
