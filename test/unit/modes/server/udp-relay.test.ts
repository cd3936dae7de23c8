import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Limits } from "../../../../src/modes/cli/limits.ts";
import { UdpEntry } from "../../../../src/modes/server/udp-entry.ts";
import { UdpOutlet } from "../../../../src/modes/server/udp-outlet.ts";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { concat, utf8 } from "../../../../src/wire/bytes.ts";
import { decodeLegReply, encodeLegRequest } from "../../../../src/wire/messages/leg.ts";
import {
  lengthAt,
  packetType,
  receiverIndexAt,
  writeHead,
  writeReceiverIndex,
} from "../../../../src/wire/packet/header.ts";
import { runsOf } from "../../../../src/wire/packet/runs.ts";
import { deriveLegKeys, signLeg } from "../../../../src/wire/relay/leg-keys.ts";
import { House, type LocalPeer } from "./house.ts";

const anasHome: UdpAddress = { ip: "198.51.100.7", port: 40_000 };
const bensHome: UdpAddress = { ip: "192.0.2.9", port: 50_000 };
const carlsHome: UdpAddress = { ip: "192.0.2.10", port: 50_000 };

let house: House;
let ana: LocalPeer;
let ben: LocalPeer;
let session: Uint8Array;
let entry: UdpEntry;
let outlet: UdpOutlet;
let sent: { readonly bytes: Uint8Array; readonly to: UdpAddress; readonly segmentBytes: number }[];
let hasRoom: boolean;
beforeEach(() => open());
afterEach(() => house[Symbol.asyncDispose]());

async function open(limits: Partial<Limits> = {}): Promise<void> {
  house = await House.open({ limits });
  sent = [];
  hasRoom = true;
  entry = new UdpEntry(house.services.discovery, house.services.udpRelay);
  outlet = new UdpOutlet({
    send(bytes, to, segmentBytes = bytes.length) {
      sent.push({ bytes: bytes.slice(), to, segmentBytes });
      return hasRoom;
    },
    drop: () => undefined,
  });
  [ana, ben] = [await house.member("ana"), await house.present("ben")];
  session = await meet(ana, ben, "ben");
}

async function meet(asker: LocalPeer, accepter: LocalPeer, name: string): Promise<Uint8Array> {
  const id = house.random(16);
  const previews = [{ device: accepter.deviceId, sealed: utf8("x") }];
  asker.tell({ kind: "ring", session: id, name, purpose: 1, previews });
  await accepter.hear("incoming");
  accepter.tell({ kind: "accept", session: id, versions: Uint8Array.of(1), handshake: utf8("first"), hidden: false });
  await Promise.all([asker.hear("observed"), accepter.hear("observed")]);
  return id;
}

function packet(index: number, length = 1_200): Uint8Array {
  const out = new Uint8Array(length).fill(index);
  writeHead(out, 0, packetType.sealed, 0, length);
  writeReceiverIndex(out, 0, index);
  return out;
}

function say(bytes: Uint8Array, from: UdpAddress): void {
  entry.handle(bytes, from, 0, outlet);
}

/** What was sent to somebody since it was last asked for, as `BYTES/SEGMENT`. */
function heard(by: UdpAddress): string[] {
  const own = sent.filter(({ to }) => to === by || (to.ip === by.ip && to.port === by.port));
  sent = sent.filter((each) => !own.includes(each));
  return own.map(({ bytes, segmentBytes }) => `${bytes.length}/${segmentBytes}`);
}

async function bind(peer: LocalPeer, from: UdpAddress, indexes: readonly number[], of = session): Promise<void> {
  const given = await peer.request({ kind: "openLeg", session: of });
  if (given.kind !== "leg") throw new Error(given.kind);
  const keys = deriveLegKeys(given.key);
  let cookie: Uint8Array = new Uint8Array(16);
  for (let sequence = 1; sequence <= 2; sequence++) {
    say(signLeg(keys.request, encodeLegRequest({ leg: given.leg, sequence, cookie, indexes })), from);
    const reply = sent.pop();
    expect(reply?.to).toEqual(from);
    cookie = decodeLegReply(reply?.bytes ?? new Uint8Array())?.cookie ?? cookie;
  }
}

test("a leg's answer names the UDP ports", async () => {
  expect(await ana.request({ kind: "openLeg", session })).toMatchObject({ kind: "leg", ports: [7_420, 7_421] });
});

test("a burst goes on in one piece to the other end of the pairing, and is counted for its sender", async () => {
  await bind(ana, anasHome, [1]);
  await bind(ben, bensHome, [2]);
  say(concat(packet(2), packet(2), packet(2, 300)), anasHome);
  say(packet(1, 90), bensHome);
  expect([heard(bensHome), heard(anasHome)]).toEqual([["2700/1200"], ["90/90"]]);
  const { tally } = house.services;
  expect(tally.topAccounts(2)).toEqual([
    { name: "ana", bytes: 2_700 },
    { name: "ben", bytes: 90 },
  ]);
});

test("two sessions of one socket, interleaved in one buffer at equal size, reach the two they are for", async () => {
  const carl = await house.present("carl");
  const other = await meet(ana, carl, "carl");
  await bind(ana, anasHome, [1]);
  await bind(ana, anasHome, [3], other);
  await bind(ben, bensHome, [2]);
  await bind(carl, carlsHome, [4], other);
  const [toBen, toCarl] = [packet(2), packet(4)];
  say(concat(toBen, toCarl, toBen, toBen, toCarl), anasHome);
  for (const { bytes, to } of sent)
    expect(
      runsOf(bytes)
        .toArray()
        .map(({ start }) => receiverIndexAt(bytes, start)),
    ).toEqual([to === bensHome ? 2 : 4]);
  expect([heard(bensHome), heard(carlsHome)]).toEqual([
    ["1200/1200", "2400/1200"],
    ["1200/1200", "1200/1200"],
  ]);
});

test("bad input 103: packets that are too long, or of nobody, are dropped", async () => {
  await bind(ana, anasHome, [1]);
  await bind(ben, bensHome, [2]);
  for (const bytes of [packet(2, 1_501), packet(2, 65_507), packet(5), new Uint8Array(1_200), new Uint8Array(1)])
    say(bytes, anasHome);
  say(packet(2), carlsHome);
  expect(sent).toEqual([]);
  say(packet(2, 1_500), anasHome);
  expect(heard(bensHome)).toEqual(["1500/1500"]);
});

test("bad input 104: an account that floods is held to its rate, told once, and others keep theirs", async () => {
  await house[Symbol.asyncDispose]();
  await open({ "limit-relay-rate": 1, "limit-relay-burst": 0.1 });
  await bind(ana, anasHome, [1]);
  await bind(ben, bensHome, [2]);
  const burst = concat(...Array.from({ length: 50 }, () => packet(2)));
  for (let at = 0; at < 30; at++) say(burst, anasHome);
  const passed = sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(passed).toBeLessThan(200_000);
  expect(ana.waiting("limited")).toEqual([{ kind: "limited", session, bytesPerSecond: 1_000_000 }]);
  say(packet(1), bensHome);
  expect(heard(anasHome)).toEqual(["1200/1200"]);
  expect(ben.waiting("limited")).toEqual([]);
});

test("while the system has no room receivers take turns, and of one that floods the oldest 256 KiB and no more wait", async () => {
  const carl = await house.present("carl");
  const other = await meet(ana, carl, "carl");
  await bind(ana, anasHome, [1]);
  await bind(ana, anasHome, [3], other);
  await bind(ben, bensHome, [2]);
  await bind(carl, carlsHome, [4], other);
  hasRoom = false;
  say(packet(2), anasHome);
  const burst = concat(...Array.from({ length: 50 }, () => packet(2)));
  for (let at = 0; at < 30; at++) say(burst, anasHome);
  for (let at = 0; at < 3; at++) say(packet(4), anasHome);
  expect(sent.length).toBe(1);
  hasRoom = true;
  outlet.drained();
  const order = sent.slice(1).map(({ to }) => (to.ip === bensHome.ip ? "ben" : "carl"));
  expect(order.slice(0, 6)).toEqual(["ben", "carl", "ben", "carl", "ben", "carl"]);
  expect(sent.slice(1).reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(262_144 + 4_000);
  say(packet(2), anasHome);
  expect(sent.at(-1)?.segmentBytes).toBe(1_200);
});

test("a leg ends with its pairing: nothing is forwarded and nothing answered", async () => {
  await bind(ana, anasHome, [1]);
  await bind(ben, bensHome, [2]);
  expect(house.services.udpRelay.size).toBe(2);
  ana.tell({ kind: "hangUp", session, path: "relay-udp" });
  say(packet(2), anasHome);
  expect([sent, house.services.udpRelay.size]).toEqual([[], 0]);
  expect(house.services.tally.sessionsEnded("relay-udp")).toBe(1);
});

test("a leg outlives its channel, as long as the other end's is there", async () => {
  await bind(ana, anasHome, [1]);
  await bind(ben, bensHome, [2]);
  ana.leave();
  say(packet(2), anasHome);
  say(packet(1), bensHome);
  expect([heard(bensHome), heard(anasHome)]).toEqual([["1200/1200"], ["1200/1200"]]);
});

test("requests for legs are answered out of a buffer that holds packets, too", async () => {
  const given = await ana.request({ kind: "openLeg", session });
  if (given.kind !== "leg") throw new Error(given.kind);
  const keys = deriveLegKeys(given.key);
  const ask = (sequence: number) =>
    signLeg(keys.request, encodeLegRequest({ leg: given.leg, sequence, cookie: new Uint8Array(16), indexes: [] }));
  say(concat(ask(1), packet(9, 156), ask(2)), anasHome);
  expect(sent.map(({ bytes }) => decodeLegReply(bytes)?.sequence)).toEqual([1, 2]);
  expect(sent.every(({ bytes }) => lengthAt(bytes, 0) === bytes.length)).toBe(true);
});
