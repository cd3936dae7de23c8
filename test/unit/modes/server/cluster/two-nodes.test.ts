import { afterEach, beforeEach, expect, test } from "bun:test";
import { utf8 } from "../../../../../src/wire/bytes.ts";
import type { LocalPeer } from "../house.ts";
import { Neighbourhood } from "../neighbourhood.ts";
import { FrailBus } from "./link-place.ts";

let place: Neighbourhood;
beforeEach(async () => void (place = await Neighbourhood.open()));
afterEach(() => place[Symbol.asyncDispose]());

const versions = Uint8Array.of(1);
const handshake = utf8("first");

async function paired(asker: LocalPeer, accepter: LocalPeer): Promise<Uint8Array> {
  const session = place.random(16);
  const previews = [{ device: accepter.deviceId, sealed: utf8("preview") }];
  asker.tell({ kind: "ring", session, name: accepter.me?.name ?? "", purpose: 1, previews });
  await accepter.hear("incoming");
  accepter.tell({ kind: "accept", session, versions, handshake, hidden: false });
  await asker.hear("accepted");
  await place.settled();
  return session;
}

/** The node of `peer` goes away without a word. */
async function dies(at: 0 | 1): Promise<void> {
  place.houses[at].services.link.stop();
  await place.houses[at].services.attendance.stop();
}

test("who paired with somebody at a node that died has the session again once that one has come to this node", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  await dies(0);
  await place.lookAround();
  expect(await ben.hear("gone")).toMatchObject({ session, code: "offline" });
  const back = place.connect(ana.keys, undefined, 1);
  await back.signIn();
  back.tell({ kind: "answer", answers: 0, people: [], rank: 1, sessions: [{ session, peerKey: ben.keys.publicKey }] });
  await back.hear("observed");
  await ben.hear("observed");
  back.tell({ kind: "forward", session, body: utf8("again") });
  expect(await ben.hear("forward")).toMatchObject({ body: utf8("again") });
});

test("an asker hears `offline` when the node of the only one who was asked died, and who was asked hears `cancel`", async () => {
  for (const died of [0, 1] as const) {
    await using fresh = await Neighbourhood.open();
    place = fresh;
    const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
    const session = place.random(16);
    const previews = [{ device: ben.deviceId, sealed: utf8("preview") }];
    ana.tell({ kind: "ring", session, name: "ben", purpose: 1, previews });
    await ben.hear("incoming");
    await dies(died);
    await place.lookAround();
    await place.lookAround();
    if (died === 1) expect(await ana.hear("refused")).toMatchObject({ session, code: "offline" });
    else expect(await ben.hear("cancel")).toMatchObject({ session, code: "cancelled" });
  }
});

test("a node that was taken for gone, and was not, has its sessions again", async () => {
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  for (const { services } of place.houses) services.link.forgetOthers();
  await place.lookAround();
  await place.settled();
  ana.tell({ kind: "forward", session, body: utf8("still") });
  expect(await ben.hear("forward")).toMatchObject({ body: utf8("still") });
  ben.tell({ kind: "forward", session, body: utf8("here") });
  expect(await ana.hear("forward")).toMatchObject({ body: utf8("here") });
  expect(place.pairings).toBe(1);
});

test("one node alone that takes the other for gone does not cost the other its sessions", async () => {
  for (const wrong of [0, 1] as const) {
    const [ana, ben] = [await place.member(`ana${wrong}`, 0), await place.present(`ben${wrong}`, 1, 1)];
    const session = await paired(ana, ben);
    place.houses[wrong].services.link.forgetOthers();
    await place.lookAround();
    await place.settled();
    ben.tell({ kind: "forward", session, body: utf8("hello") });
    expect(await ana.hear("forward")).toMatchObject({ body: utf8("hello") });
    expect([...ben.waiting("gone"), ...ana.waiting("gone")].filter(({ code }) => code !== "offline")).toEqual([]);
  }
  expect(place.pairings).toBe(2);
});

test("a leg of an end at another node is opened where the pairing is, and names that place", async () => {
  await using named = await Neighbourhood.open({ ownPlace: { host: "192.0.2.9", port: 7_420 } });
  place = named;
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const session = await paired(ana, ben);
  const leg = await ben.request({ kind: "openLeg", session });
  expect(leg).toMatchObject({ kind: "leg", node: "192.0.2.9:7420" });
  expect(await ben.request({ kind: "openLeg", session })).toEqual({ ...leg, request: 3 } as never);
  expect(place.houses[0].services.hub.pairings.findLeg(leg.kind === "leg" ? leg.leg : new Uint8Array())).not.toBeNull();
});

test("a forged entry of presence brings the rings of somebody else to nobody", async () => {
  for (const at of [0, 1] as const) {
    const [ana, eve] = [await place.member(`ana${at}`, 0), await place.present(`eve${at}`, 1, at)];
    const keys = await place.enrol(`ben${at}`);
    const [{ store, presence }, ben] = [
      place.houses[0].options,
      await place.houses[0].options.store.accounts.find(`ben${at}`),
    ];
    const device = await store.devices.findByKey(keys.publicKey);
    const [entry] = await presence.entriesOf(eve.me?.userId ?? new Uint8Array(16));
    if (ben === null || device === null || entry === undefined) throw new Error("nobody to forge");
    const { userId, name } = ben;
    await presence.add({ ...entry, userId, name, deviceId: device.deviceId, deviceKey: device.key });
    const previews = [{ device: device.deviceId, sealed: utf8("for ben") }];
    ana.tell({ kind: "ring", session: place.random(16), name, purpose: 1, previews });
    expect(["no-answer", "offline"]).toContain((await ana.hear("refused")).code);
    expect(eve.waiting("incoming")).toEqual([]);
  }
});

test("a ring to another node is refused at once, and an accept ends at once, while the nodes do not reach each other", async () => {
  const bus = new FrailBus();
  await using parted = await Neighbourhood.open({ bus });
  place = parted;
  const [ana, ben] = [await place.member("ana", 0), await place.present("ben", 1, 1)];
  const ring = (session: Uint8Array) =>
    ana.tell({
      kind: "ring",
      session,
      name: "ben",
      purpose: 1,
      previews: [{ device: ben.deviceId, sealed: utf8("preview") }],
    });
  const [taken, unheard] = [place.random(16), place.random(16)];
  ring(taken);
  await ben.hear("incoming");
  bus.state = "away";
  ben.tell({ kind: "accept", session: taken, versions, handshake, hidden: false });
  expect(await ben.hear("gone")).toMatchObject({ session: taken, code: "no-such-session" });
  ring(unheard);
  expect(await ana.hear("refused")).toMatchObject({ session: unheard, code: "offline" });
});
