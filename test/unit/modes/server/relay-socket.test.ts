import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Limits } from "../../../../src/modes/cli/limits.ts";
import { RelaySocket } from "../../../../src/modes/server/relay-socket.ts";
import type { WebSocketPort } from "../../../../src/modes/server/web-socket-port.ts";
import { utf8 } from "../../../../src/wire/bytes.ts";
import { relay, type RelayMessage } from "../../../../src/wire/messages/relay.ts";
import { hmacSha256 } from "../../../../src/wire/noise/primitives.ts";
import { House, type LocalPeer } from "./house.ts";

let house: House;
let ana: LocalPeer;
let ben: LocalPeer;
let session: Uint8Array;
beforeEach(() => meet());
afterEach(() => house[Symbol.asyncDispose]());

async function meet(limits: Partial<Limits> = {}): Promise<void> {
  house = await House.open({ limits });
  [ana, ben] = [await house.member("ana"), await house.present("ben")];
  session = house.random(16);
  ana.tell({ kind: "ring", session, name: "ben", purpose: 1, previews: [{ device: ben.deviceId, sealed: utf8("x") }] });
  await ben.hear("incoming");
  ben.tell({ kind: "accept", session, versions: Uint8Array.of(1), handshake: utf8("first"), hidden: false });
  await Promise.all([ana.hear("observed"), ben.hear("observed")]);
}

class LegPort implements WebSocketPort {
  readonly ip = "192.0.2.9";
  readonly queuedBytes = 0;
  readonly sent: Uint8Array[] = [];
  closeCode: number | null = null;
  poolLeft = 0;
  readonly socket: RelaySocket;
  constructor() {
    this.socket = new RelaySocket(house.services, this, () => void this.poolLeft++);
  }
  send(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }
  close(code: number): void {
    this.closeCode ??= code;
  }
  get nonce(): Uint8Array {
    const message = this.said(0);
    return message.kind === "challenge" ? message.nonce : new Uint8Array(32);
  }
  said(at: number): RelayMessage {
    return relay.decode(this.sent[at] ?? new Uint8Array());
  }
  say(message: RelayMessage): void {
    this.socket.receive(relay.encode(message));
  }
}

async function legOf(peer: LocalPeer) {
  const leg = await peer.request({ kind: "openLeg", session });
  if (leg.kind !== "leg") throw new Error(leg.kind);
  return leg;
}

const macOf = (key: Uint8Array, nonce: Uint8Array, leg: Uint8Array) => hmacSha256(key, utf8("p2p leg"), nonce, leg);

async function bound(peer: LocalPeer): Promise<LegPort> {
  const { leg, key } = await legOf(peer);
  const port = new LegPort();
  port.say({ kind: "bind", leg, mac: macOf(key, port.nonce, leg) });
  expect(port.said(1)).toEqual({ kind: "bound" });
  return port;
}

test("a bound leg gives its place among the newcomers back and has no deadline", async () => {
  const port = await bound(ana);
  house.clock.advance(60_000);
  expect([port.poolLeft, port.closeCode]).toEqual([1, null]);
});

test("bad input 99: an unknown leg, another's key, an old challenge and noise are refused alike", async () => {
  const [anas, bens] = [await legOf(ana), await legOf(ben)];
  const other = new LegPort();
  const attempts: ((port: LegPort) => void)[] = [
    (port) => port.say({ kind: "bind", leg: house.random(16), mac: macOf(anas.key, port.nonce, anas.leg) }),
    (port) => port.say({ kind: "bind", leg: anas.leg, mac: macOf(bens.key, port.nonce, anas.leg) }),
    (port) => port.say({ kind: "bind", leg: anas.leg, mac: macOf(anas.key, other.nonce, anas.leg) }),
    (port) => port.say({ kind: "bind", leg: anas.leg, mac: new Uint8Array(32) }),
    (port) => port.say({ kind: "bound" }),
    (port) => port.socket.receive(new Uint8Array(1_000)),
    (port) => port.socket.receive(new Uint8Array()),
  ];
  for (const attempt of attempts) {
    const port = new LegPort();
    attempt(port);
    expect([port.said(1), port.closeCode, port.poolLeft]).toEqual([
      { kind: "refused", code: "no-such-session" },
      1_008,
      1,
    ]);
  }
});

test("a leg that is not bound within 10 s is closed", () => {
  const port = new LegPort();
  house.clock.advance(10_000);
  expect([port.closeCode, port.sent.length, port.poolLeft]).toEqual([1_008, 1, 1]);
});

test("packets go to the other end's leg alone, and before it has one into its channel", async () => {
  const anas = await bound(ana);
  anas.socket.receive(utf8("early"));
  expect(await ben.hear("forward")).toMatchObject({ session, body: utf8("early") });
  const bens = await bound(ben);
  anas.socket.receive(utf8("late"));
  expect(bens.sent.at(-1)).toEqual(utf8("late"));
  expect(ben.waiting("forward")).toEqual([]);
  bens.socket.closed();
  anas.socket.receive(new Uint8Array(16_384));
  expect(ben.waiting("forward").length).toBe(1);
});

test("bad input 106: nobody can name a place for the relay to send to", async () => {
  const anas = await bound(ana);
  const local = [{ address: Uint8Array.of(127, 0, 0, 1), port: 6_379 }];
  ana.tell({ kind: "observed", session, addresses: local });
  expect(await ana.hear("failed")).toMatchObject({ code: "unknown-type" });
  anas.socket.receive(utf8("PING\r\n"));
  expect(await ben.hear("forward")).toMatchObject({ session, body: utf8("PING\r\n") });
  expect(ben.waiting("observed").flatMap(({ addresses }) => addresses)).toEqual([]);
});

test("bad input 103: more than 16 KiB at a time closes the leg, nothing at all is nothing", async () => {
  const [anas, bens] = [await bound(ana), await bound(ben)];
  anas.socket.receive(new Uint8Array());
  anas.socket.receive(new Uint8Array(16_385));
  expect([anas.closeCode, bens.sent.length]).toEqual([1_008, 2]);
});

test("bad input 107: a leg is bound again from elsewhere, and the socket before it closes", async () => {
  const [before, bens] = [await bound(ana), await bound(ben)];
  const after = await bound(ana);
  expect(before.closeCode).toBe(1_000);
  bens.socket.receive(utf8("moved"));
  expect(after.sent.at(-1)).toEqual(utf8("moved"));
  before.socket.closed();
  bens.socket.receive(utf8("still"));
  expect(after.sent.at(-1)).toEqual(utf8("still"));
});

test("legs end with their pairing, and cannot be bound any more", async () => {
  const port = await bound(ana);
  const { leg, key } = await legOf(ben);
  ana.tell({ kind: "hangUp", session, path: "relay-ws" });
  expect(port.closeCode).toBe(1_000);
  const late = new LegPort();
  late.say({ kind: "bind", leg, mac: macOf(key, late.nonce, leg) });
  expect(late.closeCode).toBe(1_008);
});

test("what an account sends over its legs is counted, and one that is slowed down as a limit hit once", async () => {
  const [anas] = [await bound(ana), await bound(ben)];
  const { tally } = house.services;
  const packets = new Uint8Array(16_000);
  anas.socket.receive(packets);
  expect([tally.relayedBytes, tally.topAccounts(1), tally.limitsHit("relay")]).toEqual([
    16_000,
    [{ name: "ana", bytes: 16_000 }],
    0,
  ]);
  for (let sent = 0; sent < 2_100; sent++) anas.socket.receive(packets); // more than may go at once
  expect(tally.limitsHit("relay")).toBe(1);
  expect(tally.relayedBytes).toBeLessThan(2_101 * 16_000);
});

test("bad input 104: who sends more than the rate is told each rate once, also over a leg bound anew, and nobody else is", async () => {
  await house[Symbol.asyncDispose]();
  // 0.00864 GB a day come back at 100 bytes a second.
  await meet({ "limit-relay-rate": 1, "limit-relay-burst": 0.1, "limit-relay-daily": 0.00864 });
  const bens = await bound(ben);
  for (const port of [await bound(ana), await bound(ana)]) {
    for (let at = 0; at < 20; at++) port.socket.receive(new Uint8Array(16_384));
    house.clock.advance(1_000);
  }
  expect(ana.waiting("limited")).toEqual([{ kind: "limited", session, bytesPerSecond: 1_000_000 }]);
  const port = await bound(ana);
  for (let second = 0; second < 40; second++) {
    for (let at = 0; at < 61; at++) port.socket.receive(new Uint8Array(16_384));
    house.clock.advance(1_000);
  }
  expect(ana.waiting("limited").map(({ bytesPerSecond }) => bytesPerSecond)).toEqual([1_000_000, 100]);
  expect([ben.waiting("limited"), port.closeCode, bens.closeCode]).toEqual([[], null, null]);
});
