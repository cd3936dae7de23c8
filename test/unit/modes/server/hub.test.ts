import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { CHANNEL_BUDGET_BYTES } from "../../../../src/wire/limits.ts";
import { type Purpose, purposes } from "../../../../src/wire/messages/signalling.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { House, type LocalPeer } from "./house.ts";
import { Neighbourhood } from "./neighbourhood.ts";

type Place = House | Neighbourhood;
let house: Place;
afterEach(() => house[Symbol.asyncDispose]());

const versions = Uint8Array.of(1);
const handshake = utf8("first");

/** Rings and waits until it is looked up. @returns the session id */
async function ring(
  asker: LocalPeer,
  name: string,
  asked: readonly LocalPeer[],
  purpose: Purpose = "chat",
): Promise<Uint8Array> {
  const session = house.random(16);
  const previews = asked.map((peer) => ({ device: peer.deviceId, sealed: utf8("preview") }));
  asker.tell({ kind: "ring", session, name, purpose: purposes[purpose], previews });
  await asker.settled();
  return session;
}

async function paired(asker: LocalPeer, accepter: LocalPeer): Promise<Uint8Array> {
  const session = await ring(asker, accepter.me?.name ?? "", [accepter]);
  accepter.tell({ kind: "accept", session, versions, handshake, hidden: false });
  await asker.hear("accepted");
  await Promise.all([asker.hear("observed"), accepter.hear("observed")]);
  return session;
}

/** Another device of the same person, answering. */
async function another(name: string, rank: number, answers = 15, people: readonly string[] = []): Promise<LocalPeer> {
  const peer = house.connect(await house.enrol(name));
  await peer.signIn();
  peer.tell({ kind: "answer", answers, people, rank, sessions: [] });
  await peer.settled();
  return peer;
}

const kinds = (peer: LocalPeer) => peer.unheard.map(({ kind }) => kind);

/** Time passes, and what comes of it is said. */
async function elapse(ms: number): Promise<void> {
  house.clock.advance(ms);
  await house.settled();
}

/** What people notice is the same whether they are at one node or at two. */
function tellOf(where: string, open: () => Promise<Place>): void {
  const title = (claim: string) => `${claim} (${where})`;
  beforeEach(async () => void (house = await open()));

  test(title("a ring to somebody unknown, away, or answering nothing of the kind is refused at once"), async () => {
    const ana = await house.member("ana");
    const away = await house.member("away");
    const pipes = await another("pipes", 1, purposes.pipe);
    const others = await another("others", 0, 15, ["carl"]);
    const codes: string[] = [];
    for (const [name, peer] of [
      ["nobody", away],
      ["no name", away],
      ["away", away],
      ["pipes", pipes],
      ["others", others],
    ] as const) {
      await ring(ana, name, [peer]);
      codes.push((await ana.hear("refused")).code);
    }
    expect(codes).toEqual(["no-such-person", "no-such-person", "offline", "no-answer", "no-answer"]);
    expect([pipes, others, away].flatMap(kinds)).toEqual([]);
  });

  test(title("bad input 87: who is blocked hears what somebody away gives"), async () => {
    const [ana, ben, away] = [await house.member("ana"), await house.present("ben"), await house.member("away")];
    await ben.request({ kind: "block", name: "ana", blocked: true });
    await ring(ana, "ben", [ben]);
    await ring(ana, "away", [away]);
    const [blocked, offline] = [await ana.hear("refused"), await ana.hear("refused")];
    expect({ ...blocked, session: null }).toEqual({ ...offline, session: null } as never);
    expect(blocked).toMatchObject({ code: "offline", retryMs: 0 });
    expect(kinds(ben)).toEqual([]);
    await ring(ben, "ana", [ana]);
    expect(await ben.hear("refused")).toMatchObject({ code: "blocked" });
    await ben.request({ kind: "block", name: "ana", blocked: false });
    await ring(ana, "ben", [ben]);
    expect(kinds(ben)).toEqual(["incoming"]);
  });

  test(title("blocking somebody who rings ends the ring"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = await ring(ana, "ben", [ben]);
    await ben.request({ kind: "block", name: "ana", blocked: true });
    expect(await ana.hear("refused")).toMatchObject({ session, code: "offline" });
    expect(await ben.hear("cancel")).toMatchObject({ session });
  });

  test(title("devices ring by rank, half a second apart, and the asker hears of the first"), async () => {
    const ana = await house.member("ana");
    const [unattended, attended, bound] = [
      await another("ben", 2),
      await another("ben", 1),
      await another("ben", 0, 1, ["ana"]),
    ];
    await ring(ana, "ben", [unattended, attended, bound]);
    expect([bound, attended, unattended].map((peer) => kinds(peer).length)).toEqual([1, 0, 0]);
    await elapse(499);
    expect(kinds(attended)).toEqual([]);
    await elapse(1);
    expect([bound, attended, unattended].map((peer) => kinds(peer).length)).toEqual([1, 1, 0]);
    await elapse(500);
    expect(kinds(unattended)).toEqual(["incoming"]);
    expect(kinds(ana)).toEqual(["ringing"]);
  });

  test(title("only devices rung get a preview, each its own"), async () => {
    const ana = await house.member("ana");
    const [trusted, untrusted] = [await another("ben", 1), await another("ben", 1)];
    await ring(ana, "ben", [trusted]);
    expect((await trusted.hear("incoming")).preview).toEqual(utf8("preview"));
    expect(kinds(untrusted)).toEqual([]);
  });

  test(title("a person's own other devices can be rung, never the ringing one"), async () => {
    const laptop = await another("ana", 1);
    const phone = await another("ana", 1);
    await ring(laptop, "ana", [laptop, phone]);
    expect([kinds(phone), kinds(laptop)]).toEqual([["incoming"], ["ringing"]]);
  });

  test(title("bad input 98: the first accept wins and the others hear that it was answered elsewhere"), async () => {
    const ana = await house.member("ana");
    const [one, two] = [await another("ben", 1), await another("ben", 1)];
    const session = await ring(ana, "ben", [one, two]);
    two.tell({ kind: "accept", session, versions, handshake, hidden: false });
    one.tell({ kind: "accept", session, versions, handshake, hidden: false });
    expect(await ana.hear("accepted")).toMatchObject({ session, device: two.deviceId });
    expect(await one.hear("cancel")).toMatchObject({ session, code: "answered-elsewhere" });
    expect(await one.hear("failed")).toMatchObject({ code: "no-such-request" });
    expect(kinds(two)).toEqual(["incoming", "observed"]);
  });

  test(title("declining ends the ringing everywhere, being busy only on that device"), async () => {
    const ana = await house.member("ana");
    const [one, two] = [await another("ben", 1), await another("ben", 1)];
    const first = await ring(ana, "ben", [one, two]);
    one.tell({ kind: "decline", session: first, code: "busy" });
    await house.settled();
    expect(ana.waiting("refused")).toEqual([]);
    two.tell({ kind: "decline", session: first, code: "unverified" });
    expect(await ana.hear("refused")).toMatchObject({ session: first, code: "unverified" });
    const second = await ring(ana, "ben", [one, two]);
    two.tell({ kind: "decline", session: second, code: "declined" });
    expect(await ana.hear("refused")).toMatchObject({ session: second, code: "declined" });
    expect(await one.hear("cancel")).toMatchObject({ session: second, code: "answered-elsewhere" });
  });

  test(title("a ring ends when its asker cancels or leaves, and when the last device asked leaves"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const first = await ring(ana, "ben", [ben]);
    ana.tell({ kind: "cancel", session: first, code: "cancelled" });
    expect(await ben.hear("cancel")).toMatchObject({ session: first, code: "cancelled" });
    const second = await ring(ana, "ben", [ben]);
    ana.leave();
    expect(await ben.hear("cancel")).toMatchObject({ session: second, code: "cancelled" });
    const carl = await house.member("carl");
    const third = await ring(carl, "ben", [ben]);
    ben.leave();
    expect(await carl.hear("refused")).toMatchObject({ session: third, code: "offline" });
  });

  test(title("a ring that nobody minds ends by itself"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = await ring(ana, "ben", [ben]);
    await elapse(600_000);
    expect(await ana.hear("refused")).toMatchObject({ session, code: "no-answer" });
    expect(await ben.hear("cancel")).toMatchObject({ session });
  });

  test(
    title("bad input 89: an accept for a ring that never was, is another's, was cancelled, or was accepted before"),
    async () => {
      const [ana, ben, eve] = [await house.member("ana"), await house.present("ben"), await house.present("eve")];
      const accept = (peer: LocalPeer, session: Uint8Array) =>
        peer.tell({ kind: "accept", session, versions, handshake, hidden: false });
      accept(eve, house.random(16));
      const session = await ring(ana, "ben", [ben]);
      accept(eve, session);
      eve.tell({ kind: "decline", session, code: "declined" });
      eve.tell({ kind: "cancel", session, code: "cancelled" });
      accept(ana, session);
      accept(ben, session);
      accept(ben, session);
      const cancelled = await ring(ana, "ben", [ben]);
      ana.tell({ kind: "cancel", session: cancelled, code: "cancelled" });
      await house.settled();
      accept(ben, cancelled);
      await house.settled();
      const failed = (peer: LocalPeer) => peer.waiting("failed").map(({ code }) => code);
      expect(failed(eve)).toEqual(Array(3).fill("no-such-request"));
      expect(failed(ana)).toEqual(["no-such-request"]);
      expect(failed(ben)).toEqual(Array(2).fill("no-such-request"));
      expect(ana.waiting("accepted").length).toBe(1);
    },
  );

  test(
    title("bad input 90: of two crossing chat rings the lower device key's stands, and the other asker accepts it"),
    async () => {
      for (const lowerFirst of [true, false]) {
        const peers = [
          await house.present(`ana${String(lowerFirst)}`),
          await house.present(`ben${String(lowerFirst)}`),
        ];
        const [low, high] = peers.sort((a, b) => Buffer.compare(a.keys.publicKey, b.keys.publicKey));
        if (low === undefined || high === undefined) throw new Error("two people");
        const ringLow = () => ring(low, high.me?.name ?? "", [high]);
        const ringHigh = () => ring(high, low.me?.name ?? "", [low]);
        const sessions = lowerFirst
          ? [await ringLow(), await ringHigh()]
          : [await ringHigh(), await ringLow()].toReversed();
        expect(await high.hear("incoming")).toMatchObject({ session: sessions[0] });
        expect(await high.hear("refused")).toMatchObject({ session: sessions[1], code: "answered-elsewhere" });
        high.tell({ kind: "accept", session: sessions[0] ?? new Uint8Array(16), versions, handshake, hidden: false });
        expect(await low.hear("accepted")).toMatchObject({ session: sessions[0] });
        expect([...low.waiting("refused"), ...low.waiting("incoming")]).toEqual([]);
      }
    },
  );

  test(title("crossing rings about files are two rings"), async () => {
    const [ana, ben] = [await house.present("ana"), await house.present("ben")];
    await ring(ana, "ben", [ben], "files");
    await ring(ben, "ana", [ana], "files");
    expect([kinds(ana), kinds(ben)]).toEqual([
      ["ringing", "incoming"],
      ["incoming", "ringing"],
    ]);
  });

  test(title("a ring crossing from a device that is not in the preview is not merged"), async () => {
    const ana = await house.present("ana");
    const [asked, asking] = [await another("ben", 1), await another("ben", 1)];
    await ring(ana, "ben", [asked]);
    await ring(asking, "ana", [ana]);
    expect(kinds(ana)).toEqual(["ringing", "incoming"]);
    expect(kinds(asked)).toEqual(["incoming"]);
  });

  test(
    title("bad input 88: strangers ring 10 a minute, three at a time to one person, and acquaintances more"),
    async () => {
      const [ana, ben] = [await house.member("ana"), await house.present("ben")];
      const open = [await ring(ana, "ben", [ben]), await ring(ana, "ben", [ben]), await ring(ana, "ben", [ben])];
      await ring(ana, "ben", [ben]);
      expect(await ana.hear("refused")).toMatchObject({ code: "limited", retryMs: 1_000 });
      for (const session of open) ana.tell({ kind: "cancel", session, code: "cancelled" });
      const people = [];
      for (let at = 0; at < 8; at++) people.push(await house.present(`person${at}`));
      for (const person of people) await ring(ana, person.me?.name ?? "", [person]);
      expect((await ana.hear("refused")).retryMs).toBe(6_000);
      await elapse(6_000);
      const accepted = await ring(ana, "ben", [ben]);
      ben.tell({ kind: "accept", session: accepted, versions, handshake, hidden: false });
      await ana.hear("accepted");
      for (let at = 0; at < 30; at++) {
        const session = await ring(ana, "ben", [ben]);
        ana.tell({ kind: "cancel", session, code: "cancelled" });
        await elapse(100);
      }
      expect(ana.waiting("refused")).toEqual([]);
    },
  );

  test(title("bad input 88: many strangers together ring one person ten times, then five a minute"), async () => {
    const ben = await house.present("ben");
    const codes: string[] = [];
    for (let at = 0; at < 12; at++) {
      const stranger = await house.member(`stranger${at}`);
      await ring(stranger, "ben", [ben]);
      codes.push(stranger.unheard.map((message) => ("code" in message ? message.code : message.kind)).join());
      stranger.leave();
    }
    expect(codes).toEqual([...Array<string>(10).fill("ringing"), "limited", "limited"]);
  });

  test(title("a session id in use is refused"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = await ring(ana, "ben", [ben]);
    ana.tell({ kind: "ring", session, name: "ben", purpose: 1, previews: [] });
    await ana.settled();
    expect(await ana.hear("failed")).toMatchObject({ code: "bad-message" });
    expect(kinds(ben)).toEqual(["incoming"]);
    ben.tell({ kind: "accept", session, versions, handshake, hidden: false });
    ana.tell({
      kind: "ring",
      session,
      name: "ben",
      purpose: 1,
      previews: [{ device: ben.deviceId, sealed: utf8("x") }],
    });
    await ana.settled();
    expect(await ana.hear("failed")).toMatchObject({ code: "bad-message" });
  });

  test(title("bad input 91: session ids of others are nobody's"), async () => {
    const [ana, ben, eve] = [await house.member("ana"), await house.present("ben"), await house.member("eve")];
    const session = await paired(ana, ben);
    eve.tell({ kind: "forward", session, body: utf8("mine") });
    eve.tell({ kind: "hangUp", session, path: "" });
    expect(await eve.request({ kind: "openLeg", session })).toMatchObject({ kind: "failed", code: "no-such-session" });
    expect(eve.waiting("gone").map(({ code }) => code)).toEqual(["no-such-session", "no-such-session"]);
    eve.tell({ kind: "answer", answers: 0, people: [], rank: 1, sessions: [{ session, peerKey: ana.keys.publicKey }] });
    await eve.settled();
    eve.tell({ kind: "forward", session, body: utf8("mine") });
    await eve.settled();
    expect([kinds(ana), kinds(ben)]).toEqual([[], []]);
  });

  test(title("bad input 58: packets of no bytes count as messages"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = await paired(ana, ben);
    for (let at = 0; at < 1_000 && ana.closeCode === null; at++)
      ana.tell({ kind: "forward", session, body: new Uint8Array() });
    expect(ana.closeCode).toBe(1_008);
    expect(ben.waiting("forward").length).toBeLessThan(110);
  });

  test(
    title("a pairing carries 64 KiB each way, and again after its ends came back, three times a minute"),
    async () => {
      const [ana, ben] = [await house.member("ana"), await house.present("ben")];
      const session = await paired(ana, ben);
      const full = () => {
        for (let at = 0; at < CHANNEL_BUDGET_BYTES / 16_384 + 1; at++)
          ana.tell({ kind: "forward", session, body: new Uint8Array(16_384) });
        return ana.waiting("failed").length;
      };
      expect(full()).toBe(1);
      let back = ben;
      const received: number[] = [];
      for (let turn = 0; turn < 4; turn++) {
        back.leave();
        back = house.connect(ben.keys);
        await back.signIn();
        const sessions = [{ session, peerKey: ana.keys.publicKey }];
        back.tell({ kind: "answer", answers: 1, people: [], rank: 1, sessions });
        await house.settled();
        full();
        await house.settled();
        received.push(back.waiting("forward").length);
      }
      expect(received).toEqual([4, 4, 4, 0]);
    },
  );

  test(title("after a restart of the server a session stands again when both ends have named it"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.member("ben")];
    const session = house.random(16);
    const claim = (peer: LocalPeer, other: LocalPeer) =>
      peer.tell({
        kind: "answer",
        answers: 0,
        people: [],
        rank: 1,
        sessions: [{ session, peerKey: other.keys.publicKey }],
      });
    claim(ana, ben);
    await house.settled();
    ana.tell({ kind: "forward", session, body: utf8("too early") });
    expect(kinds(ben)).toEqual([]);
    claim(ben, ana);
    await house.settled();
    expect([kinds(ana), kinds(ben)]).toEqual([["observed"], ["observed"]]);
    ana.tell({ kind: "forward", session, body: utf8("resume") });
    expect(await ben.hear("forward")).toMatchObject({ body: utf8("resume") });
  });

  test(title("an end that does not come back within an hour has lost the session"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = await paired(ana, ben);
    ben.leave();
    expect(await ana.hear("gone")).toMatchObject({ session, code: "offline" });
    await elapse(3_600_000);
    ana.tell({ kind: "forward", session, body: utf8("anybody?") });
    expect(await ana.hear("gone")).toMatchObject({ session, code: "no-such-session" });
    expect(house.pairings).toBe(0);
  });

  test(title("both ends gone, nothing is kept"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    await paired(ana, ben);
    ana.leave();
    ben.leave();
    await house.settled();
    expect(house.pairings).toBe(0);
    expect(house.channels).toBe(0);
  });

  test(title("a device's second channel takes a session over from its first"), async () => {
    const [ana, ben] = [await house.member("ana"), await house.present("ben")];
    const session = await paired(ana, ben);
    const second = house.connect(ben.keys);
    await second.signIn();
    second.tell({
      kind: "answer",
      answers: 1,
      people: [],
      rank: 1,
      sessions: [{ session, peerKey: ana.keys.publicKey }],
    });
    ana.tell({ kind: "forward", session, body: utf8("hello") });
    expect(await second.hear("forward")).toMatchObject({ body: utf8("hello") });
    ben.leave();
    expect(ana.waiting("gone")).toEqual([]);
  });

  test(title("a key that names itself as the other end claims nothing"), async () => {
    const keys = KeyPair.generate(house.random);
    const ana = house.connect(await house.enrol("ana", keys));
    await ana.signIn();
    ana.tell({
      kind: "answer",
      answers: 0,
      people: [],
      rank: 1,
      sessions: [{ session: house.random(16), peerKey: keys.publicKey }],
    });
    await ana.settled();
    expect(house.pairings).toBe(0);
  });
}

describe("one node", () => tellOf("one node", () => House.open()));
describe("two nodes", () => tellOf("two nodes", () => Neighbourhood.open()));

test("a relay leg is not given out by a server that does not relay", async () => {
  await using closed = await House.open({ relays: false });
  const [ana, ben] = [await closed.member("ana"), await closed.present("ben")];
  const session = closed.random(16);
  ana.tell({ kind: "ring", session, name: "ben", purpose: 1, previews: [{ device: ben.deviceId, sealed: utf8("x") }] });
  await ben.hear("incoming");
  ben.tell({ kind: "accept", session, versions, handshake, hidden: false });
  expect(await ana.request({ kind: "openLeg", session })).toMatchObject({ kind: "failed", code: "no-path" });
});

test("one channel has a session id once: a second claim of it ends the first", async () => {
  house = await House.open();
  const [ana, ben, carl] = [await house.member("ana"), await house.member("ben"), await house.member("carl")];
  const session = house.random(16);
  const claim = (peer: LocalPeer, other: LocalPeer) =>
    peer.tell({
      kind: "answer",
      answers: 0,
      people: [],
      rank: 1,
      sessions: [{ session, peerKey: other.keys.publicKey }],
    });
  claim(ana, ben);
  claim(ben, ana);
  claim(ana, carl);
  expect(await ben.hear("gone")).toMatchObject({ session, code: "offline" });
  for (const peer of [ana, ben, carl]) peer.leave();
  expect(house.pairings).toBe(0);
});
