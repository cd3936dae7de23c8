import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { ownDeviceList, systemRandom } from "../../src/modes/peer/own-device.ts";
import type { Incoming } from "../../src/modes/peer/peer-node.ts";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { purposes, type SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { sealPreview } from "../../src/wire/rendezvous/preview.ts";
import { OWN_VERSIONS } from "../../src/wire/rendezvous/session-handshake.ts";
import { trustOf } from "../../src/modes/peer/trust.ts";
import { Line } from "../support/line.ts";
import { type Neighbour, Street } from "../support/neighbours.ts";

// Ana's way to the server can be harmed. Ben listens.
let street: Street;
let line: Line;
let ana: Neighbour;
let ben: Neighbour;

beforeEach(async () => {
  street = await Street.open();
  line = await Line.to(street.stage.port);
  ana = await street.moveIn("ana", { port: line.port });
  ben = await street.moveIn("ben");
  await ben.listen();
});

afterEach(async () => {
  await street[Symbol.asyncDispose]();
  await line[Symbol.asyncDispose]();
});

const chat = { purpose: "chat", waitMs: 20_000 } as const;

/** What a promise was rejected with, listened for from the start. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

/** As another program of the same person does that meets somebody of this name with other keys. */
async function meetsAnother(who: Neighbour, name: string): Promise<void> {
  await who.people.pin(name, [{ id: systemRandom(16), key: systemRandom(32), signKey: systemRandom(32) }], null);
}

test("bad input 95: who rang as a stranger and has another's name by the time of the accept is heard by nobody", async () => {
  const asked = ana.node.ask("ben", chat);
  const incoming = await ben.rung();
  expect(incoming.trust).toBe("none");
  await meetsAnother(ben, "ana");
  expect(await failureOf(incoming.accept())).toMatchObject({ code: "peer-key-changed" });
  // Who asked hears of the accept first, and of its end right behind.
  expect(await (await asked).ended).toMatchObject({ code: "peer-gone" });
  expect(trustOf(ben.people.find("ana"))).toBe("changed");
});

test("bad input 95: who answers as a stranger and has another's name by then gets no session", async () => {
  const asked = failureOf(ana.node.ask("ben", chat));
  const incoming = await ben.rung();
  await meetsAnother(ana, "ben");
  expect(await failureOf(incoming.accept())).toMatchObject({ code: "peer-gone" });
  expect(await asked).toMatchObject({ code: "peer-key-changed" });
});

test("a file of people that is damaged while the program runs ends it in order when somebody rings, and rings nobody", async () => {
  const ended = failureOf(ben.node.failed);
  writeFileSync(ben.peopleFile, "{", { mode: 0o600 });
  expect(await failureOf(ana.node.ask("ben", chat))).toMatchObject({ code: "no-answer" });
  expect(await ended).toMatchObject({ code: "unverified", hint: expect.stringContaining(ben.peopleFile) });
  expect(ben.faults).toEqual([]);
});

test("a ring ends with the line to the server, for who asks and for who is asked", async () => {
  await ana.listen();
  const asked = failureOf(ana.node.ask("ben", chat));
  const called = failureOf(ben.node.ask("ana", { ...chat, purpose: "files" }));
  const [atBen, atAna] = [await ben.rung(), await ana.rung()];
  line.cut();
  expect(await asked).toMatchObject({ code: "server-unreachable" });
  expect(await called).toMatchObject({ code: "offline" });
  expect(await atAna.withdrawn).toBe("cancelled");
  expect(await failureOf(atAna.accept())).toMatchObject({ code: "peer-gone" });
  expect(await atBen.withdrawn).toBe("cancelled");
});

test("bad input 89: a ring is accepted once", async () => {
  const asked = ana.node.ask("ben", chat);
  const incoming = await ben.rung();
  const accepted = incoming.accept();
  expect(await failureOf(incoming.accept())).toMatchObject({ code: "peer-gone" });
  const [a, b] = [await asked, await accepted];
  expect(a.id).toBe(b.id);
});

test("pings are answered four at a time for one person, and nothing else is taken in with them", async () => {
  const ping = { purpose: "ping", waitMs: 10_000 } as const;
  const sessions: PeerSession[] = [];
  for (let count = 0; count < 4; count++) sessions.push(await ana.node.ask("ben", ping));
  expect(await failureOf(ana.node.ask("ben", ping))).toMatchObject({ code: "no-answer" });
  const [first] = sessions;
  await first?.ping();
  const flood = first?.openBulk().write(new Uint8Array(64 * 1_024 * 1_024));
  expect(await failureOf(Promise.resolve(flood))).toMatchObject({ code: "no-answer", side: "remote" });
  await first?.close();
  await (await ana.node.ask("ben", ping)).ping();
});

test("bad input 88: no more rings wait for an answer at a time than anybody could give", async () => {
  const rings: Incoming[] = [];
  await ana.listen({ onIncoming: (incoming) => void rings.push(incoming) });
  for (let count = 0; count < 100; count++) ana.switchboard.handle(ringAt(ana, `stranger${count}`));
  expect(rings).toHaveLength(32);
  rings[0]?.decline("declined");
  for (let count = 100; count < 110; count++) ana.switchboard.handle(ringAt(ana, `stranger${count}`));
  expect(rings).toHaveLength(33);
});

test("rings that cross ours are each offered, unless one of them is the answer", async () => {
  const rings: string[] = [];
  await ana.listen({ onIncoming: ({ session }) => void rings.push(session) });
  const controller = new AbortController();
  const asked = failureOf(ana.node.ask("ben", { ...chat, signal: controller.signal }));
  await ben.rung();
  for (let count = 0; count < 2; count++) ana.switchboard.handle(ringAt(ana, "ben"));
  expect(rings).toHaveLength(1);
  controller.abort();
  expect(await asked).toMatchObject({ code: "interrupted" });
  expect(new Set(rings).size).toBe(2);
});

/** As a server makes it that has made up somebody, too. */
function ringAt(asked: Neighbour, name: string): SignallingMessage {
  const [keys, signing, session] = [
    KeyPair.generate(systemRandom),
    SigningKeyPair.generate(systemRandom),
    systemRandom(16),
  ];
  const signKey = signing.publicKey;
  const preview = sealPreview(
    { session, keys, remote: asked.own.identity.keys.publicKey, random: systemRandom },
    {
      versions: OWN_VERSIONS,
      purpose: purposes.chat,
      secret: systemRandom(32),
      receiverIndex: 1,
      signKey,
      deviceList: ownDeviceList({ keys, signing }),
      greeting: "",
      offer: null,
    },
  );
  const device = { id: systemRandom(16), key: keys.publicKey, signKey, label: "pc", online: true };
  return { kind: "incoming", session, name, userId: systemRandom(16), device, purpose: purposes.chat, preview };
}
