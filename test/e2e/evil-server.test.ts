import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { equalBytes, toHex } from "../../src/wire/bytes.ts";
import { type DeviceRecord, purposes, type SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { systemRandom } from "../../src/modes/peer/own-device.ts";
import type { Finished, P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { EvilServer, type Message, type Twist, type Visitor } from "../support/evil-server.ts";

// Ana and Ben have met while the server was honest. Mallory is the server's accomplice: a real program under her own account, to which
// the server would like to lead what is meant for somebody else. She accepts everything.
let server: EvilServer;
let ana: Person;
let ben: Person;
let mallory: Person;
let atBen: P2p;
let atMallory: P2p;

beforeEach(async () => {
  server = new EvilServer();
  [ana, ben, mallory] = [await server.register("ana"), await server.register("ben"), await server.register("mallory")];
  [atBen, atMallory] = await Promise.all([ben.receiving(), mallory.receiving()]);
  expect((await ana.run("msg", "ben", "we have met")).exitCode).toBe(0);
  await atBen.waitFor("message");
  server.heard.length = 0;
});

afterEach(async () => {
  await Promise.all([atBen, atMallory].map((program) => program[Symbol.asyncDispose]()));
  await server[Symbol.asyncDispose]();
});

/** Changes messages of one kind on their way to one person. */
function onTheWay<Kind extends SignallingMessage["kind"]>(
  kind: Kind,
  to: string,
  change: (message: Message<Kind>) => readonly SignallingMessage[],
): Twist {
  return (message, visitor) =>
    message.kind === kind && visitor.account?.name === to ? change(message as Message<Kind>) : [message];
}

/** The list of devices that Ana is told to be Ben's. */
function tellAnaOfBen(change: (devices: readonly DeviceRecord[]) => readonly DeviceRecord[]): void {
  server.twist = onTheWay("person", "ana", (person) => [{ ...person, devices: change(person.devices) }]);
}

function expectRefused({ exitCode, events }: Finished, exit: number, code: string): void {
  expect(events.at(-1)).toMatchObject({ event: "error", code, exit, fatal: true });
  expect(exitCode).toBe(exit);
}

/** Nobody but Ben's own device was sealed anything, and Mallory's program has nothing to tell. */
function expectNothingForMallory(): void {
  const rung = server.told("ring").flatMap(({ previews }) => previews.map(({ device }) => toHex(device)));
  expect(rung).not.toContain(toHex(server.device("mallory").id));
  expect(atMallory.events.map(({ event }) => event)).toEqual(["waiting"]);
}

test("bad input 95: a device added to a known person is not rung, and the known one is", async () => {
  tellAnaOfBen((devices) => [server.device("mallory"), ...devices]);
  expect((await ana.run("msg", "ben", "for you alone")).exitCode).toBe(0);
  expect(await atBen.waitFor("message")).toMatchObject({ text: "for you alone" });
  expectNothingForMallory();
  const { events } = await ana.run("contacts");
  expect(events).toContainEqual(expect.objectContaining({ name: "ben", trust: "changed" }));
});

const changed: readonly (readonly [string, () => (own: DeviceRecord) => DeviceRecord])[] = [
  ["another device", () => () => server.device("mallory")],
  [
    "other keys under the same device id",
    () =>
      ({ id }) => ({ ...server.device("mallory"), id }),
  ],
  ["another X25519 key", () => (own) => ({ ...own, key: server.device("mallory").key })],
  ["another Ed25519 key", () => (own) => ({ ...own, signKey: server.device("mallory").signKey })],
];

test.each(changed)(
  "bad input 95: a known name with %s is not rung, nothing is said, and it is 8",
  async (_what, rebind) => {
    tellAnaOfBen((devices) => devices.map(rebind()));
    expectRefused(await ana.run("msg", "ben", "for you alone"), 8, "peer-key-changed");
    expectRefused(await ana.run("ping", "ben"), 8, "peer-key-changed");
    expectRefused(await ana.run("send", ana.passwordFile, "@ben"), 8, "peer-key-changed");
    expect(server.told("ring")).toEqual([]);
    expect(server.told("forward")).toEqual([]);
    expectNothingForMallory();
  },
);

test("bad input 95: a known person's own name for another account changes nothing: the keys decide", async () => {
  server.twist = onTheWay("person", "ana", (person) => [
    { ...person, userId: server.account("mallory").userId, name: "mallory" },
  ]);
  // The two ends no longer agree on who they are, so no handshake completes.
  expectRefused(await ana.run("msg", "ben", "for you alone"), 5, "peer-gone");
  expectNothingForMallory();
  expect(atBen.events.filter(({ event }) => event === "message")).toHaveLength(1);
});

test("bad input 95: at the first contact the server can lie, and the safety number tells", async () => {
  const carl = await server.register("carl");
  const truth = await carl.run("msg", "mallory", "hello");
  expect(truth.exitCode).toBe(0);
  const { safety } = await atMallory.waitFor("connected");
  server.twist = onTheWay("person", "carl", ({ request }) => [
    { kind: "person", request, ...server.account("mallory"), name: "ben" },
  ]);
  const sent = await carl.run("msg", "ben", "nice to meet you");
  expect(sent.exitCode).toBe(0);
  const shown = sent.events.find(({ event }) => event === "connected");
  expect(shown).toMatchObject({ safety, peer: "ben" }); // that of Carl and Mallory: Ben reads him another one

  server.twist = (message) => [message];
  expectRefused(await carl.run("msg", "ben", "is it you?"), 8, "peer-key-changed");
});

test("bad input 95: a ring that was changed on the way reaches nobody, and no question is asked", async () => {
  const { key, signKey } = server.device("mallory");
  const changes: ((ring: Message<"incoming">) => Message<"incoming">)[] = [
    (ring) => ({ ...ring, device: { ...ring.device, key } }),
    (ring) => ({ ...ring, device: { ...ring.device, signKey } }),
    (ring) => ({ ...ring, session: systemRandom(16) }),
    (ring) => ({ ...ring, purpose: purposes.ping }), // which is accepted without a question
    (ring) => ({ ...ring, preview: ring.preview.toReversed() }),
  ];
  for (const change of changes) {
    server.twist = onTheWay("incoming", "ben", (ring) => [change(ring)]);
    expect((await ana.run("msg", "ben", "for you alone", "--wait", "1")).exitCode).toBe(5);
  }
  expect(server.told("accept")).toEqual([]);
  expect(atBen.events.filter(({ event }) => event === "request")).toHaveLength(1);
});

test("bad input 95: a ring turned around reaches nobody", async () => {
  await using atAna = await ana.receiving();
  server.twist = (message) =>
    message.kind === "person" ? [{ ...message, devices: [server.device("ana")] }] : [message];
  expectRefused(await ana.run("msg", "mallory", "who are you?"), 5, "peer-gone");
  expect(server.told("ring")).toEqual([]);
  expect(atAna.events.map(({ event }) => event)).toEqual(["waiting"]);
});

test("bad input 95: whoever rings under the name of a known person with keys of her own is not let in", async () => {
  server.twist = onTheWay("incoming", "ben", (ring) => [
    { ...ring, name: "ana", userId: server.account("ana").userId },
  ]);
  expectRefused(await mallory.run("msg", "ben", "it is me, ana"), 5, "no-answer");
  expect(await atBen.waitFor("error")).toMatchObject({ code: "peer-key-changed", fatal: false, peer: "ana" });
  expect(atBen.events.filter(({ event }) => event === "message")).toHaveLength(1);
});

test("bad input 96: the answer to one ring does not answer another", async () => {
  const carl = await server.register("carl");
  const held: { message: Message<"accepted">; say: (message: SignallingMessage) => void }[] = [];
  server.twist = (message, to) => {
    if (message.kind !== "accepted") return [message];
    held.push({ message, say: (other) => to.say(other) });
    const [first, second] = held;
    if (first === undefined || second === undefined) return [];
    first.say({ ...first.message, handshake: second.message.handshake });
    second.say({ ...second.message, handshake: first.message.handshake });
    return [];
  };
  const both = await Promise.all([ana.run("msg", "ben", "from ana"), carl.run("msg", "ben", "from carl")]);
  for (const finished of both) expectRefused(finished, 5, "peer-gone");
  expect(atBen.events.filter(({ event }) => event === "message")).toHaveLength(1);
  expect(server.told("forward")).toEqual([]);
});

test("bad input 96: two sessions with their packets crossed carry nothing", async () => {
  const carl = await server.register("carl");
  const sessions: Uint8Array[] = [];
  const held: { message: Message<"forward">; to: Visitor }[] = [];
  server.twist = (message, to) => {
    if (message.kind === "accepted") sessions.push(message.session);
    if (message.kind !== "forward") return [message];
    held.push({ message, to });
    const [one, two] = sessions;
    if (one === undefined || two === undefined) return []; // nothing moves before both are there
    for (const each of held.splice(0))
      each.to.say({ ...each.message, session: equalBytes(each.message.session, one) ? two : one });
    return [];
  };
  const both = await Promise.all([ana.run("msg", "ben", "from ana"), carl.run("msg", "ben", "from carl")]);
  expect(server.told("forward").length).toBeGreaterThan(1);
  for (const { exitCode, events } of both) {
    expect(exitCode).toBe(5);
    expect(events.some(({ event }) => event === "delivered")).toBe(false);
  }
  expect(atBen.events.filter(({ event }) => event === "message")).toHaveLength(1);
});

test("bad input 96: an accept of before does not answer a new ring", async () => {
  expect((await ana.run("msg", "ben", "once more")).exitCode).toBe(0);
  const handshake = server.told("accept")[0]?.handshake ?? new Uint8Array();
  expect(handshake.length).toBeGreaterThan(48);
  server.twist = onTheWay("accepted", "ana", (accepted) => [{ ...accepted, handshake }]);
  expectRefused(await ana.run("msg", "ben", "for you alone"), 5, "peer-gone");
  await atBen.waitFor("message", ({ text }) => text === "once more");
  expect(atBen.events.filter(({ event }) => event === "message")).toHaveLength(2);
});

test.each([
  ["stripped", new Uint8Array()],
  ["lowered", Uint8Array.of(0)],
  ["with one more", Uint8Array.of(1, 2)],
])("bad input 45: the accepter's versions %s on the way end it before anything is said", async (_how, versions) => {
  server.twist = onTheWay("accepted", "ana", (accepted) => [{ ...accepted, versions }]);
  expectRefused(await ana.run("msg", "ben", "for you alone"), 5, "peer-gone");
  expect(server.told("forward")).toEqual([]);
});

test("bad input 94: addresses that the server makes up get a few small packets, and no more", async () => {
  let victimBytes = 0;
  const victim = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: (_, datagram) => void (victimBytes += datagram.length), error: () => undefined },
  });
  const address = Uint8Array.of(127, 0, 0, 1);
  server.twist = (message) =>
    message.kind === "observed" ? [{ ...message, addresses: [{ address, port: victim.port }] }] : [message];
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor("connected");
  const session = server.told("ring").at(-1)?.session ?? new Uint8Array();
  const addresses = [{ address, port: victim.port }];
  for (let round = 0; round < 40; round++) {
    for (const name of ["ana", "ben"])
      for (const visitor of server.of(name)) visitor.say({ kind: "observed", session, addresses });
    await Bun.sleep(50);
  }
  chat.endInput("still here\n");
  expect(await chat.exited).toBe(0);
  expect(victimBytes).toBeGreaterThan(0);
  expect(victimBytes).toBeLessThanOrEqual(2 * 36 * 64); // from both ends
  victim.close();
});

test("bad input 66: a name that is none reaches no question, and not the file of pins", async () => {
  for (const name of ["", "Ana", "../ana", "__proto__", "ana\u001b[2J", "a\u0430na", "x".repeat(33)]) {
    server.twist = onTheWay("incoming", "ben", (ring) => [{ ...ring, name }]);
    expect((await mallory.run("msg", "ben", "hello")).exitCode).toBe(5);
  }
  expect(atBen.events.filter(({ event }) => event === "request")).toHaveLength(1);
  server.twist = (message) => [message];
  expect((await ben.run("contacts")).events).toMatchObject([{ name: "ana", trust: "new" }]);
  expect(readdirSync(ben.home).filter((file) => file.includes(".bad"))).toEqual([]);
});

test.each([
  ["zero", new Uint8Array(32)],
  ["of low order", new Uint8Array(32).fill(1, 0, 1)],
])("bad input 72: a person whose key is %s is not rung", async (_what, key) => {
  await server.register("carl");
  server.twist = onTheWay("person", "ana", (person) => [
    { ...person, devices: person.devices.map((device) => ({ ...device, key })) },
  ]);
  const finished = await ana.run("msg", "carl", "hello");
  expectRefused(finished, 5, "peer-gone");
  expect(finished.events.at(-1)).toMatchObject({ side: "server" });
  expect(server.told("ring")).toEqual([]);
});
