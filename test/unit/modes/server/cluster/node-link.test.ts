import { expect, test } from "bun:test";
import { utf8 } from "../../../../../src/wire/bytes.ts";
import { packValue } from "../../../../../src/wire/codec/msgpack.ts";
import { nodeMessages } from "../../../../../src/wire/messages/nodes.ts";
import { flipBit } from "../../../../support/bytes.ts";
import { idOf, LinkPlace, revoked } from "./link-place.ts";

test("NodeLink: nodes that hold a lease learn of each other, whoever came first, and hear each other", async () => {
  const place = new LinkPlace();
  const first = await place.present();
  const second = await place.present();
  expect([...second.link.others]).toEqual([first.link.id]);
  await place.look();
  expect([...first.link.others]).toEqual([second.link.id]);
  expect(await first.link.send(second.link.id, revoked)).toBe("heard");
  second.link.broadcast(revoked);
  await place.settled();
  expect(first.told).toEqual([`joined ${second.link.id}`, `${second.link.id} said revoked`]);
  expect(second.told).toEqual([`joined ${first.link.id}`, `${first.link.id} said revoked`]);
  expect(place.lines("strange-node-message")).toEqual([]);
});

test("NodeLink: a node without a lease that still hears is gone after 5 s, once, and may come back", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  await place.presence.removeNode(second.link.id);
  for (let count = 0; count < 5; count++) await place.look();
  expect(first.told).toEqual([]);
  for (let count = 0; count < 3; count++) await place.look();
  expect(first.told).toEqual([`gone ${second.link.id}`]);
  await place.lease(second.link.id);
  await place.look();
  expect(first.told).toEqual([`gone ${second.link.id}`, `joined ${second.link.id}`]);
  expect(second.told).toEqual([`gone ${first.link.id}`]);
});

test("NodeLink: a lease that was only forgotten for a moment costs nobody anything", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  for (let count = 0; count < 4; count++) {
    await place.presence.removeNode(second.link.id);
    for (let looks = 0; looks < 4; looks++) await place.look();
    await place.lease(second.link.id);
    await place.look();
  }
  expect([first.told, second.told]).toEqual([[], []]);
});

test("NodeLink: a node that nobody hears any more is gone with the first word to it, lease or not", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  second.link.stop();
  expect(await first.link.send(second.link.id, revoked)).toBe("nobody");
  expect(first.told).toEqual([`gone ${second.link.id}`]);
  expect(second.told).toEqual([]);
});

test("NodeLink: while the place that carries messages is away nobody is taken for gone", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  await place.presence.removeNode(second.link.id);
  place.bus.state = "away";
  await place.look();
  expect(await first.link.send(second.link.id, revoked)).toBe("away");
  expect([first.told, [...first.link.others]]).toEqual([[], [second.link.id]]);
  place.bus.state = "there";
  for (let count = 0; count < 6; count++) await place.look();
  expect(first.told).toEqual([`gone ${second.link.id}`]);
});

test("NodeLink: a store that fails is trouble that is told, and the next look is not missed", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  place.presence.isBroken = true;
  await place.look();
  expect(place.troubles).toHaveLength(2);
  place.presence.isBroken = false;
  await place.presence.removeNode(second.link.id);
  for (let count = 0; count < 6; count++) await place.look();
  expect(first.told).toEqual([`gone ${second.link.id}`]);
});

test("NodeLink: send() never rejects, and takes what fails for away", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  place.bus.state = "broken";
  expect(await first.link.send(second.link.id, revoked)).toBe("away");
  expect(place.troubles).toHaveLength(1);
  expect(await first.link.send("no node at all", revoked)).toBe("nobody");
  expect(first.told).toEqual([]);
});

test("NodeLink: one that stopped hears nothing, looks at nothing and leaves nothing behind", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  first.link.stop();
  await second.link.send(first.link.id, revoked);
  await place.presence.removeNode(second.link.id);
  await place.look();
  expect(first.told).toEqual([]);
  second.link.stop();
  expect(place.clock.pending).toBe(0);
});

test("NodeLink: a node that the others have given up gives them up, and meets them anew", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  first.link.forgetOthers();
  expect([...first.link.others]).toEqual([]);
  await place.look();
  expect(first.told).toEqual([`gone ${second.link.id}`, `joined ${second.link.id}`]);
});

test("bad input 187: NodeLink drops what no node of this server sealed, and tells of it once in 30 s", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  const genuine = place.sealer().seal(idOf(first.link), nodeMessages.encode(revoked));
  const others = place.sealer(place.newId(), flipBit(place.secret, 0));
  const foreign = [
    new Uint8Array(),
    utf8("PING"),
    new Uint8Array(30_000),
    nodeMessages.encode(revoked),
    genuine.with(0, 2),
    flipBit(genuine, genuine.length * 8 - 1),
    place.sealer().seal(idOf(second.link), nodeMessages.encode(revoked)),
    others.seal(idOf(first.link), nodeMessages.encode(revoked)),
  ];
  for (const bytes of foreign) await place.put(first.link, bytes);
  expect(first.told).toEqual([]);
  expect(place.lines("strange-node-message")).toHaveLength(1);
  place.clock.advance(30_000);
  await place.settled();
  for (const bytes of foreign) await place.put(first.link, bytes);
  expect(place.lines("strange-node-message")).toHaveLength(2);
  expect(place.troubles).toEqual([]);
});

test("bad input 187: NodeLink drops the replay of what it has heard", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  const captured: Uint8Array[] = [];
  await place.bus.subscribe(first.link.id, (bytes) => void captured.push(bytes));
  await second.link.send(first.link.id, revoked);
  await place.settled();
  expect(captured).toHaveLength(1);
  const genuine: Uint8Array = captured[0] ?? new Uint8Array();
  for (let count = 0; count < 10; count++) await place.put(first.link, genuine);
  expect(first.told).toEqual([`${second.link.id} said revoked`]);
});

test("bad input 187: NodeLink drops a genuine message that no table has, and hears the next", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  const seal = place.sealer();
  for (const value of [[], [0x7f], [9], [9, ["short"]], [1, new Uint8Array(16), 7], "revoked"])
    await place.put(first.link, seal.seal(idOf(first.link), packValue(value)));
  expect(first.told.filter((told) => told.includes("said"))).toEqual([]);
  expect(place.lines("strange-node-message")).toHaveLength(1);
  await second.link.send(first.link.id, revoked);
  await place.settled();
  expect(first.told.filter((told) => told.includes("said"))).toEqual([`${second.link.id} said revoked`]);
  expect(place.troubles).toEqual([]);
});

test("bad input 187: NodeLink survives whoever listens to it, and tells of the defect", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  first.link.onMessage = () => {
    throw new Error("a defect");
  };
  await second.link.send(first.link.id, revoked);
  await place.settled();
  expect(place.troubles).toEqual([new Error("a defect")]);
});

test("bad input 188: NodeLink leaves alone the nodes of another server that share its place, and tells of it", async () => {
  const place = new LinkPlace();
  const ours = await place.present();
  const theirs = await place.present(place.newId(9));
  await place.lease("no id at all");
  for (let count = 0; count < 5; count++) await place.look();
  expect([ours.told, theirs.told]).toEqual([[], []]);
  expect(place.lines("strange-node-message")).toHaveLength(2); // each of them once
  expect(place.lines("strange-node-message")[0]).toContain("another server, or of another version");
});

test("NodeLink: where all leases are gone, as from a place that takes none, nobody is taken for gone", async () => {
  const place = new LinkPlace();
  const [first, second] = await place.pair();
  for (const { link } of [first, second]) await place.presence.removeNode(link.id);
  for (let count = 0; count < 20; count++) await place.look();
  expect([first.told, second.told]).toEqual([[], []]);
});
