import { afterEach, beforeEach, expect, test } from "bun:test";
import { compareBytes, utf8 } from "../../../../../src/wire/bytes.ts";
import { KeyPair } from "../../../../../src/wire/noise/primitives.ts";
import type { LocalPeer } from "../house.ts";
import { Neighbourhood } from "../neighbourhood.ts";
import { FrailBus } from "./link-place.ts";

// What a hostile member, or an unlucky moment of Redis, can do to sessions of two nodes: nothing that lasts.
let bus: FrailBus;
let place: Neighbourhood;
beforeEach(async () => {
  bus = new FrailBus();
  place = await Neighbourhood.open({ bus });
});
afterEach(() => place[Symbol.asyncDispose]());

const ring = (asker: LocalPeer, asked: LocalPeer, session: Uint8Array) =>
  asker.tell({
    kind: "ring",
    session,
    name: asked.me?.name ?? "",
    purpose: 1,
    previews: [{ device: asked.deviceId, sealed: utf8("preview") }],
  });

const accept = (peer: LocalPeer, session: Uint8Array, hidden = false) =>
  peer.tell({ kind: "accept", session, versions: Uint8Array.of(1), handshake: utf8("first"), hidden });

const name = (peer: LocalPeer, sessions: readonly Uint8Array[], peerKey: Uint8Array) =>
  peer.tell({
    kind: "answer",
    answers: 0,
    people: [],
    rank: 1,
    sessions: sessions.map((session) => ({ session, peerKey })),
  });

async function paired(asker: LocalPeer, accepter: LocalPeer, hidden = false): Promise<Uint8Array> {
  const session = place.random(16);
  ring(asker, accepter, session);
  await accepter.hear("incoming");
  accept(accepter, session, hidden);
  await asker.hear("accepted");
  await place.settled();
  return session;
}

/** Everything but that the other end is away for a moment. */
const endings = (...peers: readonly LocalPeer[]) =>
  peers.flatMap((peer) => peer.waiting("gone")).filter(({ code }) => code !== "offline");

/** UDP discovery has seen the only member of a node. */
function seen(at: 0 | 1, ip: string): void {
  const { services } = place.houses[at];
  const [member] = services.members.all();
  if (member === undefined) throw new Error("nobody is there");
  member.observed = [{ ip, port: 9 }];
  services.hub.pairings.observedChanged(member);
  services.cluster.observedChanged(member);
}

async function dies(at: 0 | 1): Promise<void> {
  place.houses[at].services.link.stop();
  await place.houses[at].services.attendance.stop();
}

test("an accepter who hides where he is stays hidden when the asker's node died", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben, true);
  seen(1, "203.0.113.7");
  await place.settled();
  expect(ana.waiting("observed").flatMap(({ addresses }) => addresses)).toEqual([]);
  await dies(0);
  await place.lookAround();
  const back = place.connect(ana.keys, undefined, 1);
  await back.signIn();
  name(back, [session], ben.keys.publicKey);
  expect((await back.hear("observed")).addresses).toEqual([]);
});

test("a word to a node that has just given this one up does not end the session", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  place.houses[0].services.link.forgetOthers();
  ben.tell({ kind: "forward", session, body: utf8("x") });
  await place.settled();
  await place.lookAround();
  expect(endings(ana, ben)).toEqual([]);
});

test("one publication that found nobody does not end a session", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  bus.deafNode = place.houses[1].services.link.id;
  ana.tell({ kind: "forward", session, body: utf8("lost") });
  await place.settled();
  bus.deafNode = "";
  ben.tell({ kind: "forward", session, body: utf8("x") });
  await place.settled();
  await place.lookAround();
  expect(endings(ana, ben)).toEqual([]);
});

test("bad input 91: a ring under the session id of others takes nothing from them, and cancelling it neither", async () => {
  for (const at of [0, 1] as const) {
    const [ana, ben] = [await place.member(`ana${at}`, at), await place.present(`ben${at}`, 1, 1)];
    const session = await paired(ana, ben);
    const eve = await place.member(`eve${at}`, 0);
    ring(eve, ben, session);
    await place.settled();
    eve.tell({ kind: "cancel", session, code: "cancelled" });
    await place.settled();
    ben.tell({ kind: "forward", session, body: utf8("x") });
    expect(await ana.hear("forward")).toMatchObject({ body: utf8("x") });
    expect([endings(ben), ben.waiting("incoming"), ben.waiting("cancel")]).toEqual([[], [], []]);
  }
});

test("forwards beyond what a session may have do not cross", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  bus.publishedBytes = 0;
  for (let count = 0; count < 100; count++) ben.tell({ kind: "forward", session, body: new Uint8Array(16_384) });
  await place.settled();
  expect(ana.waiting("forward")).toHaveLength(4);
  expect(bus.publishedBytes).toBeLessThan(100_000);
});

test("a channel has no more than 256 sessions, wherever it is", async () => {
  const keys = [KeyPair.generate(place.random), KeyPair.generate(place.random)];
  const [low, high] = keys.sort((one, other) => compareBytes(one.publicKey, other.publicKey));
  if (low === undefined || high === undefined) throw new Error("two keys");
  await place.enrol("eve", low);
  await place.enrol("mal", high);
  const mal = place.connect(high, undefined, 1);
  await mal.signIn();
  for (let round = 0; round < 4; round++) {
    const eve = place.connect(low, undefined, 0);
    await eve.signIn();
    for (let count = 0; count < 4; count++) {
      const sessions = Array.from({ length: 64 }, () => place.random(16));
      name(eve, sessions, high.publicKey);
      name(mal, sessions, low.publicKey);
      await place.settled();
      place.clock.advance(500);
      await place.settled();
    }
    eve.leave();
    await place.settled();
  }
  expect(place.pairings).toBeLessThanOrEqual(512);
});

test("two ends whose claims were lost while the bus was away meet when it is back", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.member("ben", 1)];
  const session = place.random(16);
  bus.state = "away";
  name(ana, [session], ben.keys.publicKey);
  name(ben, [session], ana.keys.publicKey);
  await place.settled();
  bus.state = "there";
  await place.lookAround();
  await place.lookAround();
  expect(place.pairings).toBe(1);
});

test("that a node was taken for gone is said again where it was not carried", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  place.houses[0].services.link.forgetOthers();
  bus.state = "away";
  await place.lookAround();
  bus.state = "there";
  await place.lookAround();
  await place.lookAround();
  ana.tell({ kind: "forward", session, body: utf8("to ben") });
  ben.tell({ kind: "forward", session, body: utf8("to ana") });
  expect(await ana.hear("forward")).toMatchObject({ body: utf8("to ana") });
  expect(await ben.hear("forward")).toMatchObject({ body: utf8("to ben") });
  expect(endings(ana, ben)).toEqual([]);
});

test("an accept that nobody heard leaves nothing behind", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = place.random(16);
  ring(ana, ben, session);
  await ben.hear("incoming");
  bus.deafNode = place.houses[0].services.link.id;
  accept(ben, session);
  await place.settled();
  expect(ben.waiting("gone").at(-1)).toMatchObject({ session, code: "no-such-session" });
  expect(place.houses[1].pairings).toBe(0);
});
