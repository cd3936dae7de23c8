import { expect, test } from "bun:test";
import { type Route, Routes } from "../../../../../src/modes/server/cluster/routes.ts";
import { ChannelMember, type Member } from "../../../../../src/modes/server/members.ts";

const [here, there] = ["aa", "bb"] as const;
const id = (byte: number) => new Uint8Array(16).fill(byte);
const key = (byte: number) => new Uint8Array(32).fill(byte);

function memberOf(hexId: string): Member {
  const identity = { userId: id(1), name: "ana", deviceId: id(2), deviceKey: key(3) };
  return new ChannelMember(hexId, identity, "192.0.2.1", { send: () => {}, end: () => {} });
}

const [ana, ben] = [memberOf("01"), memberOf("02")] as const;
const route = (session: number, changes: Partial<Route> = {}): Route => ({
  nodeId: here,
  session: id(session),
  peerKey: key(9),
  isHidden: false,
  sentBytes: 0,
  askerId: null,
  isPaired: true,
  ...changes,
});

test("Routes.find() knows a session of one member alone", () => {
  const routes = new Routes();
  routes.set(ana, route(1));
  expect(routes.find(ana, id(1))).toEqual(route(1));
  expect([routes.find(ben, id(1)), routes.find(ana, id(2))]).toEqual([null, null]);
});

test("Routes.set() replaces what was known of a session, and delete() forgets it alone", () => {
  const routes = new Routes();
  for (const each of [route(1, { isPaired: false }), route(2), route(1, { nodeId: there })]) routes.set(ana, each);
  expect(routes.find(ana, id(1))).toEqual(route(1, { nodeId: there }));
  expect(routes.nodesOf(ana)).toEqual(new Set([there, here]));
  routes.delete(ana, id(1));
  routes.delete(ana, id(7));
  routes.delete(ben, id(2));
  expect([routes.find(ana, id(1)), routes.find(ana, id(2))]).toEqual([null, route(2)]);
});

test("Routes.nodeOf() names the node of a pairing, never that of a ring, nor of another end", () => {
  const routes = new Routes();
  routes.set(ana, route(1, { isPaired: false }));
  expect(routes.nodeOf(id(1), key(9))).toBeNull();
  routes.set(ana, route(1, { nodeId: there }));
  expect(routes.nodeOf(id(1), key(9))).toBe(there);
  expect([routes.nodeOf(id(1), key(8)), routes.nodeOf(id(2), key(9))]).toEqual([null, null]);
});

test("Routes.nodeOf() finds the end that is meant where both ends of a session are here", () => {
  const routes = new Routes();
  routes.set(ana, route(1, { peerKey: key(8) }));
  routes.set(ben, route(1, { nodeId: there }));
  expect([routes.nodeOf(id(1), key(8)), routes.nodeOf(id(1), key(9))]).toEqual([here, there]);
});

test("Routes.drop() forgets a member, and names each node that had something of it once", () => {
  const routes = new Routes();
  for (const each of [route(1), route(2), route(3, { nodeId: there })]) routes.set(ana, each);
  routes.set(ben, route(4));
  expect(routes.drop(ana)).toEqual(new Set([here, there]));
  expect(routes.drop(ana)).toEqual(new Set());
  expect([routes.find(ana, id(1)), routes.find(ben, id(4))]).toEqual([null, route(4)]);
});

test("Routes.dropNode() gives out what a node had, and keeps what others have", () => {
  const routes = new Routes();
  for (const each of [route(1), route(2, { isPaired: false }), route(3, { nodeId: there })]) routes.set(ana, each);
  routes.set(ben, route(4));
  expect(routes.dropNode(here)).toEqual([
    { memberId: ana.id, route: route(1) },
    { memberId: ana.id, route: route(2, { isPaired: false }) },
    { memberId: ben.id, route: route(4) },
  ]);
  expect(routes.dropNode(here)).toEqual([]);
  expect([routes.find(ana, id(1)), routes.find(ana, id(3))]).toEqual([null, route(3, { nodeId: there })]);
});
