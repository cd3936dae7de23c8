import { afterEach, beforeEach, expect, test } from "bun:test";
import { ChannelSocket } from "../../../../src/modes/server/channel-socket.ts";
import type { WebSocketPort } from "../../../../src/modes/server/web-socket-port.ts";
import { packValue } from "../../../../src/wire/codec/msgpack.ts";
import { CHANNEL_SUBPROTOCOL } from "../../../../src/wire/limits.ts";
import { signalling, type SignallingMessage } from "../../../../src/wire/messages/signalling.ts";
import type { CipherState } from "../../../../src/wire/noise/cipher-state.ts";
import { HandshakeState } from "../../../../src/wire/noise/handshake.ts";
import { IK } from "../../../../src/wire/noise/patterns.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { encodePrologue } from "../../../../src/wire/noise/prologue.ts";
import { ChannelClient } from "../../../../src/wire/rendezvous/channel.ts";
import { flipBit, hex } from "../../../support/bytes.ts";
import { messagesOfProtocol } from "../../../support/raw-messages.ts";
import { House, type LocalPeer } from "./house.ts";

let house: House;
beforeEach(async () => void (house = await House.open()));
afterEach(() => house[Symbol.asyncDispose]());

/** Takes what the server sends, understands none of it. */
class RawPort implements WebSocketPort {
  readonly ip = "192.0.2.9";
  readonly queuedBytes = 0;
  readonly sent: Uint8Array[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly socket: ChannelSocket;

  constructor(offered: readonly string[] = [CHANNEL_SUBPROTOCOL]) {
    this.socket = new ChannelSocket(house.services, this, offered, () => undefined);
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }
}

const POLICY = { code: 1_008, reason: "" };

function firstMessage(serverKey = house.serverKey, offered: readonly string[] = [CHANNEL_SUBPROTOCOL]): Uint8Array {
  const keys = KeyPair.generate(house.random);
  return new ChannelClient({ keys, serverKey, offered, random: house.random, now: 0 }).start();
}

function answerTo(...messages: readonly Uint8Array[]): RawPort {
  const port = new RawPort();
  for (const message of messages) port.socket.receive(message);
  return port;
}

test.each([0, 1, 48, 95, 97, 65_535])("bad input 39: a first message of %d bytes closes without a reason", (length) => {
  const message = new Uint8Array(length);
  message.set(firstMessage().subarray(0, length));
  const port = answerTo(message);
  expect([port.closed, port.sent]).toEqual([POLICY, []]);
});

test("bad input 39: a first message with any one bit turned closes without a reason", () => {
  const message = firstMessage();
  expect(message.length).toBe(96);
  for (let bit = 0; bit < message.length * 8; bit++) {
    // RFC 7748 §5: the highest bit of a coordinate is ignored by the curve, and hashed by the handshake.
    const port = answerTo(flipBit(message, bit));
    expect([bit, port.closed, port.sent.length]).toEqual([bit, POLICY, 0]);
  }
});

test.each([
  ["zero", "00".repeat(32)],
  ["one", `01${"00".repeat(31)}`],
  ["of order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"],
  ["of order 8 too", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"],
  ["p - 1", `ec${"ff".repeat(30)}7f`],
  ["p", `ed${"ff".repeat(30)}7f`],
  ["p + 1", `ee${"ff".repeat(30)}7f`],
])("bad input 40: an ephemeral key that is %s closes without a reason", (_, key) => {
  const message = firstMessage();
  message.set(hex(key));
  expect(answerTo(message).closed).toEqual(POLICY);
});

test("bad input 41: a first message for another server closes without a reason", () => {
  expect(answerTo(firstMessage(KeyPair.generate(house.random).publicKey)).closed).toEqual(POLICY);
});

test("bad input 42: a replayed first message is answered, leads nowhere, and is closed after 10 s", async () => {
  const keys = await house.enrol("ana");
  const client = new ChannelClient({
    keys,
    serverKey: house.serverKey,
    offered: [CHANNEL_SUBPROTOCOL],
    random: house.random,
    now: 0,
  });
  const captured = client.start();
  const port = answerTo(captured);
  expect([port.sent.length, port.closed]).toEqual([1, null]);
  expect(house.services.members.size).toBe(0);
  house.clock.advance(10_000);
  expect(port.closed).toEqual(POLICY);
  expect(house.clock.pending).toBe(0);
});

test("bad input 45: a changed list of versions closes without a reason", () => {
  const port = new RawPort(["p2p2", CHANNEL_SUBPROTOCOL]);
  port.socket.receive(firstMessage());
  expect(port.closed).toEqual(POLICY);
});

test("bad input 43: a second handshake inside an open channel closes it", async () => {
  const ana = await house.member("ana");
  ana.socket.receive(firstMessage());
  expect(ana.closeCode).toBe(1_008);
  expect(house.services.members.size).toBe(0);
});

const changes: readonly (readonly [string, (sealed: Uint8Array, other: Uint8Array) => readonly Uint8Array[]])[] = [
  ["with a bit of its tag turned", (sealed) => [flipBit(sealed, sealed.length * 8 - 1)]],
  ["cut short", (sealed) => [sealed.subarray(0, -1)]],
  ["empty", () => [new Uint8Array()]],
  ["of another connection", (_, other) => [other]],
  ["repeated", (sealed) => [sealed, sealed]],
];
test.each(changes)(
  "bad input 44: a message %s closes the channel, and nothing behind it is heard",
  async (_, change) => {
    const [ana, ben] = [await house.member("ana"), await house.member("ben")];
    const other = ben.seal({ kind: "ping" });
    for (const bytes of change(ana.seal({ kind: "ping" }), other)) ana.socket.receive(bytes);
    expect(ana.closeCode).toBe(1_008);
    const before = ana.raw.length;
    ana.tell({ kind: "ping" });
    expect(ana.raw.length).toBe(before);
  },
);

test("bad input 44: messages out of order close the channel", async () => {
  const ana = await house.member("ana");
  const [, second] = [ana.seal({ kind: "ping" }), ana.seal({ kind: "ping" })];
  ana.socket.receive(second);
  expect(ana.closeCode).toBe(1_008);
});

/** A channel whose peer says what no table would let out. */
class RawChannel {
  readonly port = new RawPort();
  readonly heard: SignallingMessage[] = [];
  readonly #send: CipherState;
  readonly #receive: CipherState;
  #taken = 1;

  constructor(keys: KeyPair) {
    const prologue = encodePrologue("p2p channel", CHANNEL_SUBPROTOCOL, CHANNEL_SUBPROTOCOL);
    const handshake = new HandshakeState({
      pattern: IK,
      role: "initiator",
      prologue,
      s: keys,
      rs: house.serverKey,
      random: house.random,
    });
    this.port.socket.receive(handshake.writeMessage(new Uint8Array()));
    handshake.readMessage(this.port.sent[0] ?? new Uint8Array());
    const { send, receive } = handshake.split();
    this.#send = send;
    this.#receive = receive;
  }

  static async signedIn(name: string): Promise<RawChannel> {
    const channel = new RawChannel(await house.enrol(name));
    channel.say(signalling.encode({ kind: "signIn", request: 1, token: null }));
    while (channel.next()?.kind !== "signedIn") await new Promise((resolve) => setImmediate(resolve));
    return channel;
  }

  say(plain: Uint8Array): void {
    this.port.socket.receive(this.#send.encryptWithAd(new Uint8Array(), plain));
  }

  next(): SignallingMessage | null {
    const sealed = this.port.sent[this.#taken];
    if (sealed === undefined) return null;
    this.#taken++;
    return signalling.decode(this.#receive.decryptWithAd(new Uint8Array(), sealed));
  }
}

const nested = (depth: number) => new Uint8Array([...Array<number>(depth).fill(0x91), 0xc0]);
test.each([
  ["empty", new Uint8Array()],
  ["no MessagePack", hex("c1")],
  ["text", packValue("hello")],
  ["a map", hex("81 a1 61 01")],
  ["nested 9 deep", new Uint8Array([0x92, 0x05, ...nested(9)])],
  ["nested 90000 deep", new Uint8Array([0x92, 0x05, ...nested(90_000)])],
  [
    "longer than a message may be",
    new Uint8Array([0x93, 0x24, 0x01, 0xc6, 0, 1, 0x86, 0xa0, ...new Uint8Array(100_000)]),
  ],
  ["an extension type", hex("92 05 d4 01 00")],
])("bad input 50: a message that is %s is answered with bad-message, and the third one closes", async (_, bytes) => {
  const channel = await RawChannel.signedIn("ana");
  const answers = [];
  for (let at = 0; at < 3; at++) {
    channel.say(bytes);
    answers.push(channel.next());
  }
  expect(answers).toMatchObject(Array.from({ length: 3 }, () => ({ kind: "failed", request: 0, code: "bad-message" })));
  expect(channel.port.closed).toEqual(POLICY);
});

const FIND_PERSON = 0x24;
test.each<[string, readonly unknown[]]>([
  ["missing", [FIND_PERSON, 1]],
  ["null", [FIND_PERSON, 1, null]],
  ["a number", [FIND_PERSON, 1, 7]],
  ["an array", [FIND_PERSON, 1, ["ana"]]],
  ["a request as text", [FIND_PERSON, "1", "ana"]],
  ["a request of 2^32", [FIND_PERSON, 2 ** 32, "ana"]],
  ["a request of nil", [FIND_PERSON, null, "ana"]],
])("bad input 52: a field that is %s is refused by name", async (_, values) => {
  const channel = await RawChannel.signedIn("ana");
  channel.say(packValue(values as never));
  const failed = channel.next();
  expect(failed).toMatchObject({ kind: "failed", code: "bad-message" });
  expect(failed?.kind === "failed" ? failed.message : "").toMatch(/findPerson: (fields are missing|request|name)/);
  expect(channel.port.closed).toBeNull();
});

test("bad input 52: numbers that are no unsigned integers are refused", async () => {
  for (const number of [
    "ff",
    "d0 80",
    "cb 7f f8 00 00 00 00 00 00",
    "ca 00 00 00 00",
    "cf 00 20 00 00 00 00 00 00",
    "cd 00 01",
  ]) {
    const channel = await RawChannel.signedIn(`ana${number.replaceAll(" ", "")}`.slice(0, 20));
    channel.say(hex(`93 24 ${number} a3 61 6e 61`));
    expect([number, channel.next()]).toMatchObject([number, { kind: "failed", code: "bad-message" }]);
  }
});

test("bad input 53: an unknown kind, or one that only servers say, is answered and the connection stays", async () => {
  const channel = await RawChannel.signedIn("ana");
  for (let at = 0; at < 5; at++) channel.say(packValue([0x7e, 1]));
  channel.say(signalling.encode({ kind: "goodbye", code: "busy", reconnectMs: 0 }));
  channel.say(signalling.encode({ kind: "done", request: 9 }));
  const answers = Array.from({ length: 7 }, () => channel.next());
  expect(answers).toMatchObject(Array.from({ length: 7 }, () => ({ kind: "failed", code: "unknown-type" })));
  expect(channel.port.closed).toBeNull();
});

test("fields behind the known ones are a newer peer's and are ignored", async () => {
  const channel = await RawChannel.signedIn("ana");
  channel.say(packValue([FIND_PERSON, 2, "nobody", 7, "more"]));
  while (channel.port.sent.length < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(channel.next()).toMatchObject({ kind: "failed", request: 2, code: "no-such-person" });
});

test("bad input 54: before the sign-in everything else is not-signed-in, and the third closes", async () => {
  const peer = house.connect(await house.enrol("ana"));
  expect(await peer.request({ kind: "listDevices" })).toMatchObject({ code: "not-signed-in" });
  peer.tell({ kind: "watch", names: [], everyone: true });
  expect(peer.closeCode).toBeNull();
  peer.tell({ kind: "getTicket", request: 2 });
  expect([peer.closeCode, peer.poolLeft]).toEqual([1_008, 1]);
});

test("bad input 54: whatever a member may say is refused before the sign-in, each kind of it", async () => {
  const open = new Set(["signIn", "register", "enrol", "resetPassword", "ping", "rekey", "rekeyed", "switched"]);
  const samples = [...messagesOfProtocol("5. ")].filter(([kind]) => !open.has(kind));
  expect(samples.length).toBeGreaterThan(25);
  for (const [kind, bytes] of samples) {
    const channel = new RawChannel(KeyPair.generate(house.random));
    channel.say(bytes);
    const code: unknown = expect.stringMatching(/^(not-signed-in|unknown-type)$/);
    expect([kind, channel.next()]).toMatchObject([kind, { kind: "failed", code }]);
    channel.port.socket.closed();
  }
});

test("bad input 55: a request that is missing, text of 10 KB, or a list is refused", async () => {
  for (const request of [null, "7".repeat(10_240), [7], new Uint8Array(10_240)]) {
    const channel = await RawChannel.signedIn(`ana${house.random(4).toHex()}`);
    channel.say(packValue([FIND_PERSON, request, "ana"]));
    expect(channel.next()).toMatchObject({ kind: "failed", request: 0, code: "bad-message" });
  }
});

test("bad input 55: a request id used before, or going back, is refused", async () => {
  const ana = await house.member("ana");
  ana.tell({ kind: "listDevices", request: 7 });
  ana.tell({ kind: "listDevices", request: 7 });
  ana.tell({ kind: "listDevices", request: 3 });
  await ana.settled();
  expect(ana.waiting("failed").map(({ code }) => code)).toEqual(["bad-message", "bad-message"]);
  expect(ana.waiting("devices").length).toBe(1);
});

test("bad input 56: names with operators, quotes and dollars find nobody", async () => {
  const ana = await house.member("ana");
  for (const name of ['{"$gt":""}', "' OR 1=1 --", "$where", "a.b$c", "ana\r\nDEL x", "__proto__"])
    expect(await ana.request({ kind: "findPerson", name })).toMatchObject({ code: "no-such-person" });
  expect(await ana.request({ kind: "findPerson", name: "ana" })).toMatchObject({ kind: "person", name: "ana" });
});

test("bad input 58: over 50 messages a second are limited with a time, and 200 more close", async () => {
  const ana = await house.member("ana");
  for (let at = 0; at < 1_000 && ana.closeCode === null; at++) ana.tell({ kind: "ping" });
  expect(ana.waiting("pong").length).toBe(99);
  const limited = ana.waiting("failed");
  expect([limited.length, limited[0]?.code, limited[0]?.retryMs]).toEqual([200, "limited", 20]);
  expect(ana.closeCode).toBe(1_008);
});

test("bad input 58: kinds that nobody knows count as messages", async () => {
  const channel = await RawChannel.signedIn("ana");
  for (let at = 0; at < 1_000 && channel.port.closed === null; at++) channel.say(packValue([0x7e, 1]));
  expect(channel.port.closed).toEqual(POLICY);
  expect(channel.port.sent.length).toBeLessThan(310);
});

test("bad input 58: new keys of the channel count as messages", () => {
  const limits = { rekeyAfterMessages: 0, rekeyAfterMs: Infinity };
  const { random, serverKey } = house;
  const keys = KeyPair.generate(random);
  const client = new ChannelClient({ keys, serverKey, offered: [CHANNEL_SUBPROTOCOL], random, now: 0, limits });
  const port = answerTo(client.start());
  let exchanges = 0;
  for (let heard = 0; port.closed === null && exchanges < 1_000;) {
    const rekey = client.rekey(0);
    if (rekey !== null) port.socket.receive(rekey);
    for (; heard < port.sent.length; heard++) {
      const { reply } = client.handle(port.sent[heard] ?? new Uint8Array());
      if (reply !== null) port.socket.receive(reply);
      if (reply !== null) exchanges++;
    }
  }
  expect(port.closed).toEqual(POLICY);
  expect(exchanges).toBeLessThan(200);
});

test("what is said in one breath with the sign-in waits for it", async () => {
  const peer = house.connect(await house.enrol("ana"));
  const signedIn = peer.request({ kind: "signIn", token: null });
  const devices = peer.request({ kind: "listDevices" });
  peer.tell({ kind: "answer", answers: 1, people: [], rank: 1, sessions: [] });
  expect(await signedIn).toMatchObject({ kind: "signedIn" });
  expect(await devices).toMatchObject({ kind: "devices" });
  await peer.settled();
  const account = await house.options.store.accounts.find("ana");
  expect(await house.options.presence.isOnline(account?.userId ?? new Uint8Array(16))).toBe(true);
});

test("behind a sign-in that failed nothing is done", async () => {
  const peer = house.connect();
  const signedIn = peer.request({ kind: "signIn", token: null });
  const devices = peer.request({ kind: "listDevices" });
  expect(await signedIn).toMatchObject({ kind: "failed", code: "not-signed-in" });
  expect(await devices).toMatchObject({ kind: "failed", code: "not-signed-in" });
  expect(peer.closeCode).toBeNull();
});

test("five wrong answers close the channel, each with ten seconds of its own", async () => {
  const peer = house.connect();
  for (let answer = 0; answer < 4; answer++) {
    house.clock.advance(9_999);
    expect(await peer.request({ kind: "signIn", token: null })).toMatchObject({ code: "not-signed-in" });
    expect(peer.closeCode).toBeNull();
    await peer.settled();
  }
  await peer.request({ kind: "signIn", token: null });
  expect([peer.closeCode, peer.poolLeft, house.clock.pending]).toEqual([1_008, 1, 0]);
});

test("who says nothing for ten seconds after a wrong answer is gone", async () => {
  const peer = house.connect();
  await peer.request({ kind: "signIn", token: null });
  await peer.settled();
  house.clock.advance(10_000);
  expect(peer.closeCode).toBe(1_008);
});

test("signing in gives the place among the newcomers back, and no deadline is left", async () => {
  const ana = await house.member("ana");
  expect([ana.poolLeft, house.clock.pending]).toEqual([1, 0]);
});

test("a token signs in without the store, until its device is revoked", async () => {
  const ana = await house.member("ana");
  const token = ana.me?.token ?? "";
  const again = house.connect(ana.keys);
  expect(await again.signIn(token)).toMatchObject({ kind: "signedIn", deviceId: ana.deviceId, userId: ana.me?.userId });
  expect(await again.request({ kind: "signOut" })).toMatchObject({ kind: "done" });
  expect(await ana.hear("goodbye")).toMatchObject({ code: "revoked", reconnectMs: 0 });
  const third = house.connect(ana.keys);
  expect(await third.signIn(token)).toMatchObject({ kind: "failed", code: "revoked" });
  expect(await third.signIn()).toMatchObject({ kind: "failed", code: "not-signed-in" });
});

test("bad input 80: a token of another device leaves the channel to its own key", async () => {
  const ana = await house.member("ana");
  const eve = await house.member("eve");
  const again = house.connect(eve.keys);
  expect(await again.signIn(ana.me?.token)).toMatchObject({ kind: "signedIn", name: "eve" });
  expect(await house.connect().signIn(ana.me?.token)).toMatchObject({ kind: "failed", code: "not-signed-in" });
});

test("bad input 79: a device that nobody knows has five tokens, however long, and then no channel", async () => {
  const ana = await house.member("ana");
  const guesses = ["", "a.b.c", "A".repeat(2_048), ana.me?.token ?? "", `${ana.me?.token ?? ""}x`];
  const peer = house.connect();
  for (const guess of guesses) {
    expect(peer.closeCode).toBeNull();
    expect(await peer.signIn(guess)).toMatchObject({ kind: "failed", code: "not-signed-in" });
    await peer.settled();
  }
  expect(peer.closeCode).toBe(1_008);
  const channel = new RawChannel(KeyPair.generate(house.random));
  channel.say(packValue([0x01, 1, "A".repeat(60_000)]));
  expect(channel.next()).toMatchObject({ kind: "failed", code: "bad-message" });
});

test("bad input 81: a token of an account that the operator closed holds no more", async () => {
  const ana = await house.member("ana");
  const { userId } = ana.me ?? { userId: new Uint8Array(16) };
  const { store } = house.options;
  await store.accounts.setBlocked(userId, true);
  house.services.revocations.note(await store.devices.revokeAll(userId, house.clock.unixMs()));
  expect(await ana.hear("goodbye")).toMatchObject({ code: "revoked", reconnectMs: 0 });
  const again = house.connect(ana.keys);
  expect(await again.signIn(ana.me?.token)).toMatchObject({ kind: "failed", code: "revoked" });
  expect(await again.signIn()).toMatchObject({ kind: "failed", code: "not-signed-in" });
});

test("bad input 71: a revoked device's channels end at once, the others stay", async () => {
  const laptop = await house.member("ana");
  const phone = house.connect(await house.enrol("ana"));
  await phone.signIn();
  expect(await laptop.request({ kind: "revokeDevice", device: phone.deviceId })).toMatchObject({ kind: "done" });
  expect(await phone.hear("goodbye")).toMatchObject({ code: "revoked" });
  expect(phone.closeCode).toBe(1_001);
  expect(await laptop.request({ kind: "revokeDevice", device: phone.deviceId })).toMatchObject({
    code: "no-such-request",
  });
  expect(await laptop.request({ kind: "listDevices" })).toMatchObject({ devices: [{ id: laptop.deviceId }] });
});

test("bad input 71: a device revoked by another node is gone at the next poll", async () => {
  const ana = await house.member("ana");
  await house.services.revocations.start();
  const { userId, deviceId } = ana.me ?? { userId: new Uint8Array(16), deviceId: new Uint8Array(16) };
  await house.options.store.devices.revoke(userId, deviceId, house.clock.unixMs());
  house.clock.advance(5_000);
  await ana.settled();
  expect(await ana.hear("goodbye")).toMatchObject({ code: "revoked" });
  house.services.revocations.stop();
});

test("nothing that a channel says leaves it when its socket is gone", async () => {
  const peer: LocalPeer = house.connect(await house.enrol("ana"));
  const before = peer.raw.length;
  peer.tell({ kind: "signIn", request: 1, token: null });
  peer.leave();
  await new Promise((resolve) => setTimeout(resolve, 0));
  await peer.settled();
  expect([peer.raw.length, house.services.members.size]).toEqual([before, 0]);
});
