import { afterEach, beforeEach, expect, test } from "bun:test";
import { House, type LocalPeer } from "./house.ts";

let house: House;
beforeEach(async () => void (house = await House.open()));
afterEach(() => house[Symbol.asyncDispose]());

const nobodyElse = { people: [], rank: 1, sessions: [] } as const;
const answers = (peer: LocalPeer, bits: number) => {
  peer.tell({ kind: "answer", answers: bits, ...nobodyElse });
  return peer.settled();
};

async function names(peer: LocalPeer, after = "", limit = 500): Promise<readonly string[]> {
  const page = await peer.request({ kind: "listPeople", after, limit });
  if (page.kind !== "people") throw new Error(page.kind);
  return page.people.map(({ name, online }) => (online ? `${name}!` : name));
}

test("listPeople pages by name, and tells who is there", async () => {
  const ana = await house.present("ana");
  for (const name of ["ben", "carl", "dora"]) await house.enrol(name);
  await house.present("emil");
  expect(await names(ana)).toEqual(["ana!", "ben", "carl", "dora", "emil!"]);
  expect(await ana.request({ kind: "listPeople", after: "ben", limit: 2 })).toMatchObject({
    people: [{ name: "carl" }, { name: "dora" }],
    more: true,
  });
  expect(await ana.request({ kind: "listPeople", after: "dora", limit: 2 })).toMatchObject({
    people: [{ name: "emil", online: true }],
    more: false,
  });
  expect(await names(ana, "emil")).toEqual([]);
  expect(await names(ana, "", 0)).toEqual(["ana!"]);
});

test("bad input 86: a page has at most 500 names, however many are asked for", async () => {
  const ana = await house.present("ana");
  for (let at = 0; at < 501; at++) {
    const account = { userId: house.random(16), name: `person${at}`, passwordHash: "x", createdAtMs: 0 };
    await house.options.store.accounts.create(account, "open");
  }
  const page = await ana.request({ kind: "listPeople", after: "", limit: 65_535 });
  expect(page).toMatchObject({ kind: "people", more: true });
  expect(page.kind === "people" ? page.people.length : 0).toBe(500);
});

test("only who answers something is there, until the last channel that does is gone", async () => {
  const [ana, ben] = [await house.member("ana"), await house.member("ben")];
  expect(await names(ana)).toEqual(["ana", "ben"]);
  await answers(ben, 1);
  const second = house.connect(ben.keys);
  await second.signIn();
  await answers(second, 2);
  expect(await names(ana)).toEqual(["ana", "ben!"]);
  ben.leave();
  await ben.settled();
  expect(await names(ana)).toEqual(["ana", "ben!"]);
  await answers(second, 0);
  expect(await names(ana)).toEqual(["ana", "ben"]);
});

test("what a newer peer answers beyond what is known here makes nobody present", async () => {
  const [ana, ben] = [await house.member("ana"), await house.member("ben")];
  await answers(ben, 0x80);
  expect(await names(ana)).toEqual(["ana", "ben"]);
  await answers(ben, 0xff);
  expect(await names(ana)).toEqual(["ana", "ben!"]);
});

test("a channel that closes while it says what it answers leaves nobody behind", async () => {
  const ben = await house.member("ben");
  ben.tell({ kind: "answer", answers: 1, ...nobodyElse });
  ben.leave();
  await ben.settled();
  expect(await house.options.presence.online({ limit: 10 })).toEqual([]);
});

test("bad input 87: who is blocked sees the other in the list, and never there", async () => {
  const [ana, ben] = [await house.present("ana"), await house.present("ben")];
  await ana.request({ kind: "block", name: "ben", blocked: true });
  expect(await names(ben)).toEqual(["ana", "ben!"]);
  expect(await names(ana)).toEqual(["ana!", "ben!"]);
  expect(await ben.request({ kind: "findPerson", name: "ana" })).toMatchObject({
    devices: [{ id: ana.deviceId, online: false }],
  });
  await ana.request({ kind: "block", name: "ben", blocked: false });
  expect(await names(ben)).toEqual(["ana!", "ben!"]);
  expect(await ana.request({ kind: "block", name: "nobody", blocked: true })).toMatchObject({ code: "no-such-person" });
});

test("somebody whom the operator shut out is nobody", async () => {
  const ana = await house.member("ana");
  await house.enrol("gone");
  const account = await house.options.store.accounts.find("gone");
  await house.options.store.accounts.setBlocked(account?.userId ?? new Uint8Array(16), true);
  expect(await names(ana)).toEqual(["ana"]);
  expect(await ana.request({ kind: "findPerson", name: "gone" })).toMatchObject({ code: "no-such-person" });
});

test("findPerson gives every device with its keys, and the newest list", async () => {
  const ana = await house.member("ana");
  const laptop = await house.present("ben");
  const phone = house.connect(await house.enrol("ben"));
  await phone.signIn();
  await house.options.store.devices.setDeviceList(laptop.deviceId, Uint8Array.of(1));
  const person = await ana.request({ kind: "findPerson", name: "BEN" });
  expect(person).toMatchObject({ name: "ben", userId: laptop.me?.userId, deviceList: Uint8Array.of(1) });
  const devices = person.kind === "person" ? person.devices : [];
  const shown = devices.map(({ key, online, label }) => ({ key, online, label }));
  expect(shown).toContainEqual({ key: laptop.keys.publicKey, online: true, label: "ben's" });
  expect(shown).toContainEqual({ key: phone.keys.publicKey, online: false, label: "ben's" });
});

test("a watcher hears at once how things are and then, once a second, what changed", async () => {
  const [ana, ben, carl] = [await house.member("ana"), await house.member("ben"), await house.present("carl")];
  ana.tell({ kind: "watch", names: ["ben", "carl"], everyone: false });
  await ana.settled();
  house.clock.advance(0);
  expect((await ana.hear("presence")).changes).toEqual([
    { name: "ben", online: false },
    { name: "carl", online: true },
  ]);
  await answers(ben, 1);
  await answers(carl, 0);
  await house.present("dora");
  house.clock.advance(999);
  expect(ana.waiting("presence")).toEqual([]);
  house.clock.advance(1);
  expect((await ana.hear("presence")).changes).toEqual([
    { name: "ben", online: true },
    { name: "carl", online: false },
  ]);
});

test("a watcher of everyone hears who comes, but not of whoever blocked it", async () => {
  const [ana, ben] = [await house.member("ana"), await house.present("ben")];
  await ben.request({ kind: "block", name: "ana", blocked: true });
  ana.tell({ kind: "watch", names: [], everyone: true });
  await ana.settled();
  await house.present("carl");
  house.clock.advance(1_000);
  const changes = ana.waiting("presence").flatMap((message) => message.changes);
  expect(changes).toContainEqual({ name: "carl", online: true });
  expect(changes.filter(({ name, online }) => name === "ben" && online)).toEqual([]);
  await ben.request({ kind: "block", name: "ana", blocked: false });
  await ana.settled();
  house.clock.advance(1_000);
  expect(ana.waiting("presence").at(-1)?.changes).toEqual([{ name: "ben", online: true }]);
  await ben.request({ kind: "block", name: "ana", blocked: true });
  await ana.settled();
  house.clock.advance(1_000);
  expect(ana.waiting("presence").at(-1)?.changes).toEqual([{ name: "ben", online: false }]);
});

test("watching replaces what was watched before, and ends with the channel", async () => {
  const [ana, ben] = [await house.member("ana"), await house.member("ben")];
  ana.tell({ kind: "watch", names: ["ben"], everyone: false });
  await ana.settled();
  ana.tell({ kind: "watch", names: [], everyone: false });
  await answers(ben, 1);
  house.clock.advance(10_000);
  expect(ana.waiting("presence")).toEqual([]);
  ana.tell({ kind: "watch", names: ["ben"], everyone: true });
  await ana.settled();
  ana.leave();
  expect(house.clock.pending).toBe(0);
});

test("bad input 86: a watcher of everyone hears of 500 people, not of the next", async () => {
  const ana = await house.member("ana");
  ana.tell({ kind: "watch", names: [], everyone: true });
  await ana.settled();
  for (let at = 0; at < 510; at++)
    await house.options.presence.add({
      deviceId: house.random(16),
      deviceKey: house.random(32),
      connectionId: house.random(16),
      userId: house.random(16),
      name: `person${at}`,
      answers: 1,
      forNames: null,
      rank: 1,
      invisible: false,
      nodeId: "node",
      sinceMs: 0,
    });
  await ana.settled();
  house.clock.advance(1_000);
  expect(ana.waiting("presence").flatMap(({ changes }) => changes).length).toBe(500);
});

test("a node whose lease ran out adds its people again", async () => {
  const ben = await house.present("ben");
  const { attendance } = house.services;
  await attendance.start();
  await house.options.presence.sweep(house.clock.unixMs() + 60_000);
  expect(await house.options.presence.online({ limit: 10 })).toEqual([]);
  house.clock.advance(3_000);
  await ben.settled();
  expect((await house.options.presence.online({ limit: 10 })).map(({ name }) => name)).toEqual(["ben"]);
  await attendance.stop();
  expect(await house.options.presence.online({ limit: 10 })).toEqual([]);
});
