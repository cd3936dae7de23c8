import { afterEach, beforeEach, expect, test } from "bun:test";
import { compareBytes, utf8 } from "../../../../../src/wire/bytes.ts";
import { KeyPair } from "../../../../../src/wire/noise/primitives.ts";
import type { LocalPeer } from "../house.ts";
import { Neighbourhood } from "../neighbourhood.ts";

let place: Neighbourhood;
let session: Uint8Array;
beforeEach(async () => {
  place = await Neighbourhood.open();
  session = place.random(16);
});
afterEach(() => place[Symbol.asyncDispose]());

/** Somebody signed in at that node, with this key. */
async function member(name: string, at: number, keys?: KeyPair): Promise<LocalPeer> {
  const peer = place.connect(await place.enrol(name, keys), undefined, at);
  await peer.signIn();
  return peer;
}

/** Two keys, the lower first. */
function keysInOrder(): readonly [KeyPair, KeyPair] {
  const [one, other] = [KeyPair.generate(place.random), KeyPair.generate(place.random)] as const;
  return compareBytes(one.publicKey, other.publicKey) < 0 ? [one, other] : [other, one];
}

/** Names the session, whose other end has this key. */
async function claim(peer: LocalPeer, peerKey: Uint8Array): Promise<void> {
  peer.tell({ kind: "answer", answers: 0, people: [], rank: 1, sessions: [{ session, peerKey }] });
  await peer.settled();
}

/** One back at the same node, or at another, with the same key. */
async function back(peer: LocalPeer, at: number): Promise<LocalPeer> {
  const again = place.connect(peer.keys, undefined, at);
  await again.signIn();
  return again;
}

async function expectWhole(one: LocalPeer, other: LocalPeer, at: number): Promise<void> {
  expect(place.houses.map(({ pairings }) => pairings)).toEqual(at === 0 ? [1, 0] : [0, 1]);
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.tell({ kind: "forward", session, body: utf8("across") });
    await place.settled();
    expect(to.waiting("forward")).toHaveLength(1);
    expect(await to.hear("forward")).toMatchObject({ session, body: utf8("across") });
    expect(await from.request({ kind: "openLeg", session })).toMatchObject({ kind: "leg", session });
  }
}

async function claimBoth(first: LocalPeer, second: LocalPeer): Promise<void> {
  await claim(first, second.keys.publicKey);
  await claim(second, first.keys.publicKey);
}

for (const lowerFirst of [true, false])
  for (const lowerAt of [0, 1])
    test(`Claims: of two halves at two nodes that of the lower device key stays (it is ${lowerFirst ? "first" : "second"}, at node ${lowerAt})`, async () => {
      const keys = keysInOrder();
      const [low, high] = [await member("ana", lowerAt, keys[0]), await member("ben", 1 - lowerAt, keys[1])] as const;
      await (lowerFirst ? claimBoth(low, high) : claimBoth(high, low));
      for (const peer of [low, high]) expect(peer.waiting("observed")).toHaveLength(1);
      await expectWhole(low, high, lowerAt);
    });

test("Claims: two ends that name their session in the same moment at two nodes meet in one pairing", async () => {
  const [low, high] = keysInOrder();
  const [ana, ben] = [await member("ana", 0, low), await member("ben", 1, high)] as const;
  for (const [peer, other] of [
    [ana, ben],
    [ben, ana],
  ] as const)
    peer.tell({
      kind: "answer",
      answers: 0,
      people: [],
      rank: 1,
      sessions: [{ session, peerKey: other.keys.publicKey }],
    });
  await place.settled();
  await expectWhole(ana, ben, 0);
});

for (const lowerStays of [true, false])
  test(`Claims: a pairing that was whole stays where it is when an end comes back at another node (the ${lowerStays ? "lower" : "higher"} key stays)`, async () => {
    const [low, high] = keysInOrder();
    const ana = await member("ana", 0, lowerStays ? low : high);
    let ben = await member("ben", 0, lowerStays ? high : low);
    await claimBoth(ana, ben);
    for (const at of [1, 0, 1]) {
      ben.leave();
      await place.settled();
      expect(await ana.hear("gone")).toMatchObject({ session, code: "offline" });
      ben = await back(ben, at);
      await claim(ben, ana.keys.publicKey);
      await expectWhole(ana, ben, 0);
    }
  });

test("Claims: both ends come back at the node that has nothing of their session, and meet", async () => {
  let [ana, ben] = [await member("ana", 0), await member("ben", 0)] as const;
  await claimBoth(ana, ben);
  for (const peer of [ana, ben]) peer.leave();
  await place.settled();
  expect(place.pairings).toBe(0);
  [ana, ben] = [await back(ana, 1), await back(ben, 1)];
  await claimBoth(ana, ben);
  await expectWhole(ana, ben, 1);
});

test("Claims: one end at a node of its own hears nothing, and goes on waiting", async () => {
  const [ana, ben] = [await member("ana", 0), await member("ben", 1)];
  await claim(ana, ben.keys.publicKey);
  expect([ana.unheard, ben.unheard]).toEqual([[], []]);
  expect(place.pairings).toBe(1);
  ana.leave();
  await place.settled();
  expect(place.pairings).toBe(0);
});

test("Claims: a node that comes later is asked for what this one lacks", async () => {
  const [first, second] = place.houses;
  const [ana, ben] = [await member("ana", 0), await member("ben", 1)];
  for (const { services } of place.houses) services.link.forgetOthers();
  await claimBoth(ana, ben);
  expect([first.pairings, second.pairings]).toEqual([1, 1]);
  await place.lookAround();
  expect([...first.services.link.others]).toEqual([second.services.link.id]);
  expect(place.pairings).toBe(1);
  expect([ana, ben].map((peer) => peer.waiting("observed").length > 0)).toEqual([true, true]);
});

test("bad input 91: a claim at another node of a session that is others' changes nothing there", async () => {
  const [ana, ben] = [await member("ana", 0), await member("ben", 0)];
  await claimBoth(ana, ben);
  const eve = await member("eve", 1);
  for (const { keys } of [ana, ben]) await claim(eve, keys.publicKey);
  eve.tell({ kind: "forward", session, body: utf8("mine") });
  eve.tell({ kind: "hangUp", session, path: "" });
  await place.settled();
  expect(ana.waiting("gone")).toEqual([]);
  expect(ben.waiting("forward")).toEqual([]);
  eve.leave();
  await place.settled();
  await expectWhole(ana, ben, 0);
});

test("bad input 91: who names a session of others at another node is not told where they are", async () => {
  const [ana, ben] = [await member("ana", 0), await member("ben", 0)];
  await claimBoth(ana, ben);
  const eve = await member("eve", 1);
  await claim(eve, ana.keys.publicKey);
  expect(eve.unheard).toEqual([]);
});
