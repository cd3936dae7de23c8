import { expect, test } from "bun:test";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { ChannelServer } from "../../../../src/wire/rendezvous/channel.ts";
import { PeerEnd } from "../../../../src/wire/rendezvous/peer-end.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const serverKeys = KeyPair.generate(random);

function pair() {
  const peer = new PeerEnd({
    keys: KeyPair.generate(random),
    serverKey: serverKeys.publicKey,
    offered: ["p2p1"],
    random,
    now: 0,
  });
  const server = new ChannelServer({ keys: serverKeys, offered: ["p2p1"], random, now: 0 });
  const reply = server.handle(peer.pollTransmit() ?? new Uint8Array()).reply ?? new Uint8Array();
  return { peer, server, open: () => peer.handleMessage(0, reply) };
}

function opened() {
  const { peer, server, open } = pair();
  open();
  expect(peer.pollEvent()).toEqual({ kind: "open" });
  const heard = () => server.handle(peer.pollTransmit() ?? new Uint8Array()).message;
  return { peer, server, heard };
}

test("an answer is matched to its request once, and what nobody asked for is dropped", () => {
  const { peer, server, heard } = opened();
  const request = peer.request({ kind: "listDevices" });
  expect(heard()).toEqual({ kind: "listDevices", request });
  const answer = { kind: "devices", request, devices: [] } as const;
  peer.handleMessage(1, server.seal(answer));
  peer.handleMessage(1, server.seal(answer));
  peer.handleMessage(1, server.seal({ kind: "done", request: 99 }));
  expect(peer.pollEvent()).toEqual({ kind: "answer", request, message: answer });
  expect(peer.pollEvent()).toBeNull();
});

test("a ping goes out after silence, and a server that stays silent is over", () => {
  const { peer, heard } = opened();
  expect(peer.pollTimeout()).toBe(20_000);
  peer.handleTimeout(19_999);
  expect(peer.pollTransmit()).toBeNull();
  peer.handleTimeout(20_000);
  expect(heard()).toEqual({ kind: "ping" });
  peer.handleTimeout(45_000);
  expect(peer.pollEvent()).toEqual({ kind: "over", why: "silent" });
  expect(peer.pollTimeout()).toBeNull();
});

test("a ping of the server is answered", () => {
  const { peer, server, heard } = opened();
  peer.handleMessage(5, server.seal({ kind: "ping" }));
  expect(heard()).toEqual({ kind: "pong" });
  expect(peer.pollEvent()).toBeNull();
});

test("bytes that are no channel end it without a throw, before and after the handshake", () => {
  const { peer } = pair();
  peer.handleMessage(0, random(48));
  expect(peer.pollEvent()).toEqual({ kind: "over", why: "broken" });
  const { peer: later } = opened();
  later.handleMessage(0, random(30));
  later.handleMessage(0, random(30));
  expect(later.pollEvent()).toEqual({ kind: "over", why: "broken" });
  expect(later.pollEvent()).toBeNull();
});

test("bad input 49: new keys are asked for after an hour also of a channel that is never quiet", () => {
  const { peer, server } = opened();
  for (let now = 0; now < 3_600_000; now += 10_000) peer.handleMessage(now, server.seal({ kind: "pong" }));
  expect(peer.pollTransmit()).toBeNull();
  peer.handleMessage(3_600_000, server.seal({ kind: "pong" }));
  expect(server.handle(peer.pollTransmit() ?? new Uint8Array()).reply).not.toBeNull(); // `rekeyed`
});

test("a server that is asked for a sign of life has 3 s to give one", () => {
  const { peer, server, heard } = opened();
  peer.prove(10_000);
  expect(heard()).toEqual({ kind: "ping" });
  expect(peer.pollTimeout()).toBe(13_000);
  peer.handleMessage(12_999, server.seal({ kind: "pong" }));
  expect(peer.pollTimeout()).toBe(32_999);
  peer.prove(40_000);
  peer.prove(42_000);
  peer.handleTimeout(43_000);
  expect(peer.pollEvent()).toEqual({ kind: "over", why: "silent" });
});
