import { expect, test } from "bun:test";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { frames } from "../../../../src/wire/messages/session.ts";
import { type Mapping, mappingToFields } from "../../../../src/wire/traversal/mapping.ts";
import { SearchTurn } from "../../../../src/wire/traversal/search-turn.ts";
import { Traversal, type TraversalEvent } from "../../../../src/wire/traversal/traversal.ts";
import { Seeded } from "../../../sim/seeded.ts";

const theirs: UdpAddress = { ip: "28.2.0.7", port: 50_000 };
const seenAt: UdpAddress = { ip: "28.1.0.7", port: 40_000 };
const own = { subnets: [], addresses: [], servers: [] };
const random: Mapping = { kind: "random", step: 0 };
const independent: Mapping = { kind: "independent", step: 0 };

function begin(mapping: Mapping, other: Mapping): Traversal {
  const traversal = new Traversal({ own, random: new Seeded(1).bytes, turn: new SearchTurn() });
  traversal.addLocal(0, { socket: 0, family: 4 });
  traversal.setOwnMapping(mapping, seenAt);
  traversal.attested(0, [theirs]);
  traversal.heard(0, { kind: "mapping", ...mappingToFields(other) });
  traversal.heard(0, { kind: "candidatesEnd", generation: 0 });
  return traversal;
}

/** What it has to say, after what it has to send. */
function drain(traversal: Traversal, now: number) {
  const probes = [];
  for (let probe = traversal.pollProbe(now); probe !== null; probe = traversal.pollProbe(now)) probes.push(probe);
  const events: TraversalEvent[] = [];
  for (let event = traversal.pollEvent(); event !== null; event = traversal.pollEvent()) events.push(event);
  return { probes, events };
}

test("what the other end is told can be carried: addresses, their end, and how the NAT maps, once for each change", () => {
  const traversal = begin({ kind: "sequential", step: -2 }, independent);
  traversal.setOwnMapping({ kind: "sequential", step: -2 }, seenAt);
  traversal.announce([{ type: "host", address: { ip: "192.168.1.5", port: 4_000 } }]);
  const said = drain(traversal, 0).events.flatMap((event) => (event.kind === "say" ? [event.frame] : []));
  expect(said.map(({ kind }) => kind)).toEqual(["mapping", "candidate", "candidatesEnd"]);
  for (const frame of said) expect(frames.decode(frames.encode(frame))).toEqual(frame);
  expect(said[0]).toMatchObject({ mapping: 3, step: 126 });
});

test("new sockets are wanted 400 ms after the other end's word, and not when a path stands by then", () => {
  const traversal = begin(random, independent);
  expect(drain(traversal, 399).events.some(({ kind }) => kind === "sockets-wanted")).toBe(false);
  expect(drain(traversal, 400).events).toContainEqual({ kind: "sockets-wanted", sockets: 256, surveyed: 0 });
  const lucky = begin(random, independent);
  lucky.validated(300, 0, theirs);
  expect(drain(lucky, 5_000).events.some(({ kind }) => kind === "sockets-wanted")).toBe(false);
});

test("a check that comes in on a new socket is answered by one there, and that socket stays as long as its path", () => {
  const traversal = begin(random, independent);
  drain(traversal, 400);
  traversal.socketsOpened(410, [7, 8, 9], []);
  drain(traversal, 420);
  const found = { ip: theirs.ip, port: 50_000 };
  traversal.seen(500, 8, found);
  const { probes } = drain(traversal, 500);
  expect(probes).toContainEqual({ socket: 8, remote: found, tier: 1, hopLimit: null });
  traversal.validated(600, 8, found);
  expect(traversal.kindOf(8, found)).toBe("direct");
  expect(drain(traversal, 600).events).toContainEqual({ kind: "sockets-unwanted", sockets: [7, 9] });
  traversal.lost(9_000, 8, found);
  expect(drain(traversal, 9_000).events).toContainEqual({ kind: "sockets-unwanted", sockets: [8] });
  expect(traversal.kindOf(8, found)).toBeNull();
});

test("of new sockets the other end was heard on, a few stay, since it may choose another one than we do", () => {
  const traversal = begin(random, independent);
  drain(traversal, 400);
  traversal.socketsOpened(410, [7, 8, 9, 10, 11, 12, 13], []);
  drain(traversal, 420);
  for (const socket of [8, 9, 10, 11, 12]) traversal.seen(500, socket, theirs);
  traversal.validated(600, 13, theirs);
  expect(drain(traversal, 600).events).toContainEqual({ kind: "sockets-unwanted", sockets: [7, 12] });
});

test("after its path is lost, and on another network, the search begins anew", () => {
  const traversal = begin(random, independent);
  const wanted = (now: number) => drain(traversal, now).events.filter(({ kind }) => kind === "sockets-wanted").length;
  traversal.validated(100, 0, theirs);
  expect(wanted(60_000)).toBe(0);
  traversal.lost(60_000, 0, theirs);
  expect([wanted(60_300), wanted(60_400)]).toEqual([0, 1]);
  traversal.socketsOpened(60_410, [7], []);
  traversal.restart(61_000, own);
  expect(drain(traversal, 61_000).events).toContainEqual({ kind: "sockets-unwanted", sockets: [7] });
  expect([wanted(80_000), wanted(80_400)]).toEqual([0, 1]);
});

test("what makes no sense of another end's NAT is as good as unknown", () => {
  const traversal = begin(random, { kind: "unknown", step: 0 });
  traversal.heard(0, { kind: "mapping", mapping: 200, step: 3 });
  const wanted = (now: number) => drain(traversal, now).events.some(({ kind }) => kind === "sockets-wanted");
  expect([wanted(400), wanted(2_399), wanted(2_400)]).toEqual([false, false, true]);
});
