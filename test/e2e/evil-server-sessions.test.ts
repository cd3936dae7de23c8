import { afterEach, beforeEach, expect, test } from "bun:test";
import type { SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { systemRandom } from "../../src/modes/peer/own-device.ts";
import { handshakePacket } from "../../src/wire/packet/header.ts";
import { Seeded } from "../sim/seeded.ts";
import { flipBit } from "../support/bytes.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { EvilServer, type Message } from "../support/evil-server.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RawPeer } from "../support/raw-peer.ts";

// Handshakes reach a program through the server alone, so it is the server that sends them too late, twice, or to nobody.
let server: EvilServer;
let ana: Person;
let atBen: P2p;

beforeEach(async () => {
  server = new EvilServer();
  ana = await server.register("ana");
  atBen = await (await server.register("ben")).receiving();
});

afterEach(async () => {
  await atBen[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const messages = () => atBen.events.filter(({ event }) => event === "message");

test("bad inputs 59 and 110: what comes for a ring that is over, or never was, changes nothing", async () => {
  using folder = temporaryFolder();
  await using carl = await RawPeer.register({ folder: folder.path, joinLine: server.joinLine }, "carl");
  server.twist = (message) => (message.kind === "incoming" ? [] : [message]);
  const asked = carl.node.ask("ben", { purpose: "chat", waitMs: 200 }).catch((error: unknown) => error);
  expect(await asked).toMatchObject({ code: "no-answer" });
  const sessions = [server.told("ring")[0]?.session ?? new Uint8Array(16), systemRandom(16)];
  const handshake = systemRandom(300);
  const late = (session: Uint8Array): readonly SignallingMessage[] => [
    { kind: "ringing", session },
    { kind: "accepted", session, device: server.device("ben").id, versions: Uint8Array.of(1), handshake },
    { kind: "observed", session, addresses: [] },
    { kind: "forward", session, body: handshakePacket(handshake) },
    { kind: "refused", session, code: "declined", retryMs: 0 },
    { kind: "gone", session, code: "peer-gone" },
    { kind: "cancel", session, code: "cancelled" },
  ];
  for (const name of ["carl", "ben"])
    for (const visitor of server.of(name)) for (const message of sessions.flatMap(late)) visitor.say(message);

  server.twist = (message) => [message];
  const session = await carl.node.ask("ben", { purpose: "chat", waitMs: 20_000 });
  expect(session.peer).toBe("ben");
  await session.close();
  expect(carl.faults).toEqual([]);
  expect(server.told("accept")).toHaveLength(1);
});

test("bad input 111: an accept that is cut, drawn out or has a bit turned is no accept", async () => {
  const numbers = new Seeded(7);
  const changes: ((handshake: Uint8Array) => Uint8Array)[] = [
    (handshake) => handshake.subarray(0, 47),
    (handshake) => new Uint8Array([...handshake, 0]),
    (handshake) => flipBit(handshake, numbers.between(0, handshake.length * 8 - 1)),
    (handshake) => flipBit(handshake, numbers.between(8, 254)), // in the ephemeral key
    () => new Uint8Array(),
  ];
  for (const change of changes) {
    server.twist = (message) =>
      message.kind === "accepted" ? [{ ...message, handshake: change(message.handshake) }] : [message];
    const { exitCode, events } = await ana.run("msg", "ben", "for you alone");
    expect(exitCode).toBe(5);
    expect(events.at(-1)).toMatchObject({ event: "error", code: "peer-gone", side: "server" });
  }
  expect(server.told("forward")).toEqual([]);
  expect(messages()).toEqual([]);
});

test("bad input 112: an accept that comes again, or another one after it, makes no second session", async () => {
  const handshake = systemRandom(300);
  server.twist = (message) =>
    message.kind === "accepted" ? [message, message, { ...message, handshake }, message] : [message];
  const { exitCode, events } = await ana.run("msg", "ben", "once");
  expect(exitCode).toBe(0);
  expect(events.filter(({ event }) => event === "connected")).toHaveLength(1);
  await atBen.waitFor("message");
  expect(messages()).toHaveLength(1);
});

test("bad input 116: packets that come twice through the server say nothing twice", async () => {
  server.twist = (message) => (message.kind === "forward" ? [message, message] : [message]);
  expect((await ana.run("msg", "ben", "once", "--relay-only")).exitCode).toBe(0);
  await atBen.waitFor("message");
  await atBen.waitFor("closed");
  expect(messages()).toHaveLength(1);
});

test("bad input 125: nobody is shown as connected before a packet of theirs was opened", async () => {
  let passed = 0;
  server.twist = (message, to) => {
    if (message.kind !== "forward" || to.account?.name !== "ben") return [message];
    return passed++ === 0 ? [onlyHandshake(message)] : [];
  };
  await using asking = ana.start("msg", "ben", "for you alone", "--relay-only");
  await asking.waitFor("connected"); // by Ben's first packet
  await asking.waitFor("posted");
  expect(passed).toBeGreaterThan(0);
  expect(atBen.events.map(({ event }) => event)).toEqual(["waiting", "request"]);
});

/** The handshake is one packet; what is sealed stands behind it. */
function onlyHandshake(message: Message<"forward">): Message<"forward"> {
  const length = new DataView(message.body.buffer, message.body.byteOffset).getUint16(2);
  return { ...message, body: message.body.slice(0, length) };
}
