import { afterEach, beforeEach, expect, test } from "bun:test";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { House, type LocalPeer } from "./house.ts";
import { requestUnder } from "./tickets.ts";

let house: House;
let ana: LocalPeer;
let ben: LocalPeer;
beforeEach(async () => {
  house = await House.open();
  [ana, ben] = [await house.member("ana"), await house.present("ben")];
  await pair(false);
});
afterEach(() => house[Symbol.asyncDispose]());

async function pair(hidden: boolean): Promise<void> {
  const session = house.random(16);
  ana.tell({
    kind: "ring",
    session,
    name: ben.me?.name ?? "",
    purpose: 1,
    previews: [{ device: ben.deviceId, sealed: utf8("x") }],
  });
  await ben.hear("incoming");
  ben.tell({ kind: "accept", session, versions: Uint8Array.of(1), handshake: utf8("first"), hidden });
  await Promise.all([ana.hear("observed"), ben.hear("observed")]);
}

async function ticketOf(peer: LocalPeer) {
  const ticket = await peer.request({ kind: "getTicket" });
  if (ticket.kind !== "ticket") throw new Error(ticket.kind);
  return ticket;
}

const from = (port: number, ip = "198.51.100.7") => ({ ip, port });

test("a ticket names the ports, and where requests under it come from is told to the other end", async () => {
  const ticket = await ticketOf(ana);
  expect(ticket).toMatchObject({ lifetimeMs: 600_000, ports: [7_420, 7_421] });
  const { discovery } = house.services;
  expect(discovery.handleDatagram(requestUnder(ticket, 1), from(5_000), 0)?.length).toBe(72);
  expect(discovery.handleDatagram(requestUnder(ticket, 2), from(5_001), 1)?.length).toBe(72);
  expect(discovery.handleDatagram(requestUnder(ticket, 3), from(5_000), 0)?.length).toBe(72);
  const told = ben.waiting("observed").map(({ addresses }) => addresses.map(({ port }) => port));
  expect(told).toEqual([[5_000]]);
  expect(ana.waiting("observed")).toEqual([]);
});

test("what the second port sees is told of a family that the first does not see", async () => {
  const ticket = await ticketOf(ana);
  const { discovery } = house.services;
  discovery.handleDatagram(requestUnder(ticket, 1), from(5_001), 1);
  discovery.handleDatagram(requestUnder(ticket, 2), from(6_000, "2001:db8::7"), 0);
  discovery.handleDatagram(requestUnder(ticket, 3), from(6_001, "2001:db8::7"), 1);
  discovery.handleDatagram(requestUnder(ticket, 4), from(5_000), 0);
  const told = ben.waiting("observed").map(({ addresses }) => addresses.map(({ port }) => port));
  expect(told).toEqual([[5_001], [6_000, 5_001], [6_000, 5_000]]);
});

test("who accepts hidden is shown to nobody, and sees where the asker is", async () => {
  [ana, ben] = [await house.member("carl"), await house.present("dora")];
  await pair(true);
  const { discovery } = house.services;
  discovery.handleDatagram(requestUnder(await ticketOf(ben), 1), from(5_000), 0);
  discovery.handleDatagram(requestUnder(await ticketOf(ana), 1), from(6_000), 0);
  expect(ana.waiting("observed").flatMap(({ addresses }) => addresses)).toEqual([]);
  expect(ben.waiting("observed").flatMap(({ addresses }) => addresses.map(({ port }) => port))).toEqual([6_000]);
});

test("under a new ticket what was seen before is forgotten, and an older ticket shows nothing new", async () => {
  const old = await ticketOf(ana);
  const { discovery } = house.services;
  discovery.handleDatagram(requestUnder(old, 1), from(5_000), 0);
  const fresh = await ticketOf(ana);
  discovery.handleDatagram(requestUnder(old, 2), from(5_001), 0);
  discovery.handleDatagram(requestUnder(fresh, 1), from(6_000, "203.0.113.5"), 0);
  const told = ben.waiting("observed").map(({ addresses }) => addresses.map(({ port }) => port));
  expect(told).toEqual([[5_000], [6_000]]);
});

test("a channel has three tickets that answer, and none once it is closed", async () => {
  const tickets = [await ticketOf(ana), await ticketOf(ana), await ticketOf(ana), await ticketOf(ana)];
  const { discovery } = house.services;
  const answered = () =>
    tickets.map(
      (ticket, at) => discovery.handleDatagram(requestUnder(ticket, at + answers++), from(5_000), 0) !== null,
    );
  let answers = 1;
  expect(answered()).toEqual([false, true, true, true]);
  ana.leave();
  expect(answered()).toEqual([false, false, false, false]);
});

test("bad input 93: at most 8 addresses of one end are told, the newest", async () => {
  const ticket = await ticketOf(ana);
  for (let at = 1; at <= 12; at++) {
    house.services.discovery.handleDatagram(requestUnder(ticket, at), from(5_000 + at), 0);
    house.clock.advance(200);
  }
  const last = ben.waiting("observed").at(-1);
  expect(last?.addresses.map(({ port }) => port)).toEqual([5_005, 5_006, 5_007, 5_008, 5_009, 5_010, 5_011, 5_012]);
});
