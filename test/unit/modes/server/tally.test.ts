import { expect, test } from "bun:test";
import { Tally } from "../../../../src/modes/server/tally.ts";
import { purposes } from "../../../../src/wire/messages/signalling.ts";
import { House, type LocalPeer } from "./house.ts";

/** A session between two, accepted. */
async function paired(house: House, asker: LocalPeer, accepter: LocalPeer): Promise<Uint8Array> {
  const session = house.random(16);
  const previews = [{ device: accepter.deviceId, sealed: new Uint8Array(64) }];
  asker.tell({ kind: "ring", session, name: accepter.me?.name ?? "", purpose: purposes.chat, previews });
  await accepter.hear("incoming");
  accepter.tell({ kind: "accept", session, versions: Uint8Array.of(1), handshake: new Uint8Array(48), hidden: false });
  await asker.hear("accepted");
  return session;
}

test("Tally counts what each account sends through the server, and the path that a session ended on", async () => {
  await using house = await House.open();
  const [ana, ben] = [await house.present("ana"), await house.present("ben")];
  const session = await paired(house, ana, ben);
  ana.tell({ kind: "forward", session, body: new Uint8Array(1_000) });
  ben.tell({ kind: "forward", session, body: new Uint8Array(300) });
  ana.tell({ kind: "forward", session, body: new Uint8Array(1) });
  const { tally } = house.services;
  expect([tally.relayedBytes, tally.topAccounts(10)]).toEqual([
    1_301,
    [
      { name: "ana", bytes: 1_001 },
      { name: "ben", bytes: 300 },
    ],
  ]);
  ana.tell({ kind: "hangUp", session, path: "lan" });
  ben.tell({ kind: "hangUp", session, path: "relay-ws" }); // too late: the session is over
  expect([tally.sessionsEnded("lan"), tally.sessionsEnded("relay-ws")]).toEqual([1, 0]);
});

test("Tally counts a session whose end names no path as none", async () => {
  await using house = await House.open();
  const [ana, ben] = [await house.present("ana"), await house.present("ben")];
  ana.tell({ kind: "hangUp", session: await paired(house, ana, ben), path: "" });
  expect(house.services.tally.sessionsEnded("direct")).toBe(0);
  expect(house.logged.filter((line) => line.includes("session-ended"))).toEqual([]);
});

test("Tally counts bytes over the budget of a channel as refused, not as relayed", async () => {
  await using house = await House.open();
  const [ana, ben] = [await house.present("ana"), await house.present("ben")];
  const session = await paired(house, ana, ben);
  for (let sent = 0; sent < 5; sent++) ana.tell({ kind: "forward", session, body: new Uint8Array(16_000) });
  expect([house.services.tally.relayedBytes, house.services.tally.limitsHit("requests")]).toEqual([64_000, 1]);
});

test("Tally counts who speaks too fast, and who rings somebody four times at once", async () => {
  await using house = await House.open();
  const ana = await house.member("ana");
  for (let said = 0; said < 150; said++) ana.tell({ kind: "ping" });
  const { tally } = house.services;
  expect(tally.limitsHit("messages")).toBeGreaterThanOrEqual(50);
  const ben = await house.present("ben");
  for (let rung = 0; rung < 4; rung++)
    ben.tell({ kind: "ring", session: house.random(16), name: "ana", purpose: purposes.chat, previews: [] });
  await ben.settled();
  expect(tally.limitsHit("rings")).toBe(4);
});

test("Tally counts a sign-in that is told to wait, and no wrong one", async () => {
  await using house = await House.open();
  const stranger = house.connect();
  const typed = { name: "nobody", password: "a password of nobody", label: "l", deviceList: new Uint8Array() };
  const { tally } = house.services;
  for (let wrong = 0; wrong < 4; wrong++)
    expect(await stranger.request({ kind: "enrol", ...typed, signKey: house.random(32) })).toMatchObject({
      code: "wrong-password",
    });
  expect(tally.limitsHit("sign-ins")).toBe(0);
  const again = house.connect();
  expect(await again.request({ kind: "enrol", ...typed, signKey: house.random(32) })).toMatchObject({
    code: "wrong-password",
  });
  expect(await again.request({ kind: "enrol", ...typed, signKey: house.random(32) })).toMatchObject({
    code: "limited",
  });
  expect(tally.limitsHit("sign-ins")).toBe(1);
});

test("Tally forgets the account that relayed longest ago, and keeps the sum", () => {
  const tally = new Tally(0, 2);
  for (const name of ["ana", "ben", "ana", "cleo"]) tally.relayed(name, 10);
  expect(tally.topAccounts(10)).toEqual([
    { name: "ana", bytes: 20 },
    { name: "cleo", bytes: 10 },
  ]);
  expect([tally.topAccounts(1).length, tally.relayedBytes]).toEqual([1, 40]);
});

test("Tally counts only what is told to come later as a limit", () => {
  const tally = new Tally(0);
  for (const code of ["limited", "busy", "wrong-password", "offline"] as const) tally.refused("sign-ins", { code });
  expect(tally.limitsHit("sign-ins")).toBe(2);
});
