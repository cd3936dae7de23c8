import { expect, test } from "bun:test";
import { decodeLegRequest, encodeLegReply } from "../../../../src/wire/messages/leg.ts";
import { Allocation, Allocations } from "../../../../src/wire/relay/allocations.ts";
import { LegClient, type LegEvent, waysTo } from "../../../../src/wire/relay/leg-client.ts";
import { deriveLegKeys, signLeg } from "../../../../src/wire/relay/leg-keys.ts";
import type { SocketRoute } from "../../../../src/wire/traversal/inquiry.ts";
import { seededRandom } from "../../../support/bytes.ts";

const server = { ip: "203.0.113.1", port: 7_420 };
const second = { ip: "203.0.113.1", port: 7_421 };
const ways = waysTo([{ socket: 0, family: 4 }], [server, second]);

/** A client and the server's table, with a NAT between them that the test turns. */
class Desk {
  now = 0;
  /** Where the server sees the client. */
  home = { ip: "198.51.100.7", port: 40_000 };
  /** What gets through. */
  open = (_way: SocketRoute): boolean => true;
  readonly sent: { readonly at: number; readonly port: number; readonly indexes: readonly number[] }[] = [];
  readonly events: LegEvent[] = [];
  readonly #random = seededRandom("desk");
  readonly #leg = this.#random(16);
  readonly #key = this.#random(32);
  readonly client = new LegClient({ leg: this.#leg, key: this.#key, random: this.#random });
  readonly allocation = new Allocation<string>({
    keys: deriveLegKeys(this.#key),
    sender: "ben",
    other: () => null,
    send: () => undefined,
    mayBeLoopback: false,
  });
  #table = this.#newTable();

  /** The server starts again: its secrets are others. */
  restart(): void {
    this.#table = this.#newTable();
  }

  /** To the end of `ms`, every deadline at its time. */
  run(ms: number): void {
    const end = this.now + ms;
    this.#flush();
    for (let at = this.client.pollTimeout(); at !== null && at <= end; at = this.client.pollTimeout()) {
      this.now = Math.max(this.now, at);
      this.client.handleTimeout(this.now);
      this.#flush();
    }
    this.now = end;
  }

  #newTable(): Allocations<string> {
    return new Allocations<string>({ random: this.#random, ownAddresses: [], find: () => this.allocation });
  }

  #flush(): void {
    for (let out = this.client.pollTransmit(); out !== null; out = this.client.pollTransmit()) {
      const indexes = decodeLegRequest(out.bytes)?.indexes ?? [];
      this.sent.push({ at: this.now, port: out.to.remote.port, indexes });
      const isThrough = this.open(out.to);
      const reply = isThrough ? this.#table.handleRequest(this.now, out.bytes, this.home, "socket") : null;
      if (reply !== null) this.client.handleDatagram(this.now, reply, out.to);
    }
    for (let event = this.client.pollEvent(); event !== null; event = this.client.pollEvent()) this.events.push(event);
    const at = this.client.pollTimeout();
    if (at !== null && at <= this.now) {
      this.client.handleTimeout(this.now);
      this.#flush();
    }
  }
}

function started(): Desk {
  const desk = new Desk();
  desk.client.setIndexes(0, [1, 2, 3]);
  desk.client.start(0, ways);
  desk.run(10);
  return desk;
}

test("two requests bind a leg and register what there is", () => {
  const desk = started();
  expect(desk.events).toEqual([{ kind: "bound", route: { socket: 0, remote: server } }]);
  expect(desk.sent).toHaveLength(2);
  expect([desk.allocation.address, desk.allocation.indexes]).toEqual([desk.home, [1, 2, 3]]);
  expect(desk.client.route).toEqual({ socket: 0, remote: server });
});

test("an index that is added is registered in one request, and one that is retired goes", () => {
  const desk = started();
  desk.client.setIndexes(desk.now, [2, 3, 4]);
  desk.run(10);
  expect(desk.sent).toHaveLength(3);
  expect(desk.allocation.indexes).toEqual([2, 3, 4]);
});

test("a request that is lost is sent again until it is answered, and a late answer changes nothing", () => {
  const desk = started();
  desk.open = () => false;
  desk.client.setIndexes(desk.now, [4]);
  desk.run(1_000);
  desk.open = () => true;
  desk.run(2_000);
  expect(desk.allocation.indexes).toEqual([4]);
  expect(desk.events).toHaveLength(1);
});

test("an idle leg is kept open every 15 s, a fifth more or less; not where the session's checks do that", () => {
  const desk = started();
  const before = desk.sent.length;
  desk.run(600_000);
  const gaps = desk.sent.slice(before).map(({ at }, place) => at - (desk.sent[before + place - 1]?.at ?? 0));
  expect(gaps.length).toBeWithin(33, 51);
  expect(gaps.every((gap) => gap >= 12_000 && gap <= 18_001)).toBe(true);
  desk.client.setKept(desk.now, true);
  const kept = desk.sent.length;
  desk.run(600_000);
  expect(desk.sent).toHaveLength(kept);
});

test("bad input 107: after a NAT has forgotten its mapping the leg is bound from the new one as soon as there is doubt", () => {
  const desk = started();
  desk.home = { ...desk.home, port: 41_000 };
  desk.client.doubt(desk.now);
  desk.run(10);
  expect(desk.allocation.address).toEqual(desk.home);
  expect(desk.sent).toHaveLength(4);
});

test("a server that starts again is shown where the leg is once more", () => {
  const desk = started();
  desk.restart();
  desk.client.doubt(desk.now);
  desk.run(10);
  expect(desk.sent).toHaveLength(4);
  expect(desk.client.route).not.toBeNull();
});

test("where one port is swallowed the next one is taken", () => {
  const desk = new Desk();
  desk.open = ({ remote }) => remote.port === second.port;
  desk.client.start(0, ways);
  desk.run(1_000);
  expect(desk.events).toEqual([{ kind: "bound", route: { socket: 0, remote: second } }]);
});

test("where nothing answers it is asked less and less, and the way is taken when it opens", () => {
  const desk = new Desk();
  desk.open = () => false;
  desk.client.start(0, ways);
  desk.run(60_000);
  const inFirstMinute = desk.sent.length;
  expect(inFirstMinute).toBeLessThan(24);
  desk.run(600_000);
  expect(desk.sent.length - inFirstMinute).toBeLessThanOrEqual(22);
  desk.open = () => true;
  desk.run(60_000);
  expect(desk.events).toMatchObject([{ kind: "bound" }]);
});

test("a leg whose server falls silent is given up within 3 s of the doubt, and found again", () => {
  const desk = started();
  desk.open = () => false;
  desk.client.doubt(desk.now);
  desk.run(3_000);
  expect(desk.events.at(-1)).toEqual({ kind: "lost" });
  expect(desk.client.route).toBeNull();
  desk.open = () => true;
  desk.run(5_000);
  expect(desk.events.at(-1)).toMatchObject({ kind: "bound" });
});

test("another network is bound from the beginning, with indexes as they are by then", () => {
  const desk = started();
  desk.home = { ip: "192.0.2.200", port: 50_000 };
  desk.client.setIndexes(desk.now, [9]);
  desk.client.start(desk.now, ways);
  desk.run(10);
  expect([desk.allocation.address, desk.allocation.indexes]).toEqual([desk.home, [9]]);
  expect(desk.events.filter(({ kind }) => kind === "bound")).toHaveLength(2);
});

test("answers from elsewhere, of another leg, changed or doubled change nothing", () => {
  const desk = new Desk();
  const captured: Uint8Array[] = [];
  desk.open = () => false;
  desk.client.setIndexes(0, [1]);
  desk.client.start(0, ways);
  const table = new Allocations<string>({
    random: seededRandom("other"),
    ownAddresses: [],
    find: () => desk.allocation,
  });
  desk.client.handleTimeout(0);
  const request = desk.client.pollTransmit();
  const reply = table.handleRequest(0, request?.bytes ?? new Uint8Array(), desk.home, "socket") ?? new Uint8Array();
  captured.push(reply);
  const way = { socket: 0, remote: server };
  desk.client.handleDatagram(1, reply, { socket: 0, remote: second });
  desk.client.handleDatagram(1, reply, { socket: 1, remote: server });
  for (let at = 0; at < reply.length; at++) {
    const changed = reply.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    desk.client.handleDatagram(1, changed, way);
  }
  expect(desk.client.pollTimeout()).toBe(150);
  desk.client.handleDatagram(1, reply, way);
  expect(desk.client.pollTimeout()).toBe(1);
  desk.client.handleTimeout(1);
  desk.client.handleDatagram(2, reply, way);
  expect(desk.client.pollTimeout()).toBe(151);
});

test("a refused index is told of, by its number", () => {
  const desk = new Desk();
  const rival = new Allocation<string>({ ...desk.allocation.options });
  rival.indexes = [];
  desk.client.setIndexes(0, [1, 2, 3]);
  const random = seededRandom("rivals");
  let found = rival;
  const table = new Allocations<string>({ random, ownAddresses: [], find: () => found });
  const answer = () => {
    const out = desk.client.pollTransmit();
    const reply = out === null ? null : table.handleRequest(0, out.bytes, desk.home, "socket");
    if (out !== null && reply !== null) desk.client.handleDatagram(0, reply, out.to);
    desk.client.handleTimeout(0);
  };
  desk.client.start(0, ways);
  desk.client.handleTimeout(0);
  for (let round = 0; round < 3; round++) answer();
  found = new Allocation<string>({ ...desk.allocation.options });
  desk.client.setIndexes(0, [2, 9]);
  desk.client.start(0, ways);
  desk.client.handleTimeout(0);
  for (let round = 0; round < 3; round++) answer();
  const events: LegEvent[] = [];
  for (let event = desk.client.pollEvent(); event !== null; event = desk.client.pollEvent()) events.push(event);
  expect(events).toContainEqual({ kind: "refused", indexes: [2] });
});

test("a server that refuses whatever it is asked for is asked with other indexes at once, and then less and less", () => {
  const random = seededRandom("refusing");
  const [leg, key] = [random(16), random(32)];
  const client = new LegClient({ leg, key, random });
  const asked: number[] = [];
  let next = 10;
  client.setIndexes(0, [1, 2, 3]);
  client.start(0, ways.slice(0, 1));
  for (let now = 0; now < 10_000; now++) {
    client.handleTimeout(now);
    for (let out = client.pollTransmit(); out !== null; out = client.pollTransmit()) {
      asked.push(now);
      const sequence = decodeLegRequest(out.bytes)?.sequence ?? 0;
      const answer = encodeLegReply({ leg, sequence, cookie: random(16), isRegistered: asked.length > 1, refused: 7 });
      client.handleDatagram(now, signLeg(deriveLegKeys(key).reply, answer), out.to);
    }
    for (let event = client.pollEvent(); event !== null; event = client.pollEvent())
      if (event.kind === "refused") client.setIndexes(now, [next++, next++, next++]);
  }
  expect(asked.slice(0, 7)).toEqual([0, 1, 2, 152, 552, 2_052, 3_552]);
  expect(asked.length).toBeLessThan(13);
});
