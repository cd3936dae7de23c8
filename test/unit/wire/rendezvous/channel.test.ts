import { expect, test } from "bun:test";
import { WireError } from "../../../../src/wire/errors.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";
import { ChannelClient, ChannelServer, type ChannelLimits } from "../../../../src/wire/rendezvous/channel.ts";

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const serverKeys = KeyPair.generate(random);
const deviceKeys = KeyPair.generate(random);
const ping = { kind: "ping" } as const;

function pair(limits?: ChannelLimits, offeredSeen: readonly string[] = ["p2p1"]) {
  const shared = { random, now: 0, ...(limits && { limits }) };
  const client = new ChannelClient({ ...shared, keys: deviceKeys, serverKey: serverKeys.publicKey, offered: ["p2p1"] });
  const server = new ChannelServer({ ...shared, keys: serverKeys, offered: offeredSeen });
  return { client, server };
}

function open(limits?: ChannelLimits) {
  const { client, server } = pair(limits);
  const reply = server.handle(client.start()).reply ?? new Uint8Array();
  client.handle(reply);
  return { client, server };
}

test("a channel opens in one round trip and carries messages both ways", () => {
  const { client, server } = open();
  expect(client.isOpen).toBe(true);
  expect(server.remoteStatic).toEqual(deviceKeys.publicKey);
  expect(server.isConfirmed).toBe(false);
  expect(server.handle(client.seal(ping)).message).toEqual(ping);
  expect(server.isConfirmed).toBe(true);
  expect(client.handle(server.seal({ kind: "pong" })).message).toEqual({ kind: "pong" });
});

test("bad input 39: a first message of a wrong length or with any bit flipped opens nothing", () => {
  const first = pair().client.start();
  expect(first.length).toBe(96);
  for (const length of [0, 95]) expect(() => pair().server.handle(first.slice(0, length))).toThrow(WireError);
  expect(() => pair().server.handle(Buffer.concat([first, Uint8Array.of(0)]))).toThrow(WireError);
  expect(() => pair().server.handle(new Uint8Array(65_535))).toThrow(WireError);
  for (let bit = 0; bit < first.length * 8; bit++) {
    const flipped = first.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(() => pair().server.handle(flipped)).toThrow(WireError);
  }
});

test("bad input 41: a first message for another server's key opens nothing", () => {
  const other = new ChannelServer({ keys: KeyPair.generate(random), offered: ["p2p1"], random, now: 0 });
  expect(() => other.handle(pair().client.start())).toThrow(WireError);
});

test("bad input 42: a replayed first message is answered, but what follows from the capture is not opened", () => {
  const { client, server } = pair();
  const first = client.start();
  client.handle(server.handle(first).reply ?? new Uint8Array());
  const captured = client.seal(ping);
  const { server: again } = pair();
  expect(again.handle(first).reply).not.toBeNull();
  expect(() => again.handle(captured)).toThrow(WireError);
  expect(again.isConfirmed).toBe(false);
});

test("bad input 43: a message before the handshake, and a second handshake inside the channel, are refused", () => {
  const { client, server } = pair();
  expect(() => client.seal(ping)).toThrow("not open");
  expect(() => server.handle(open().client.seal(ping))).toThrow(WireError);
  expect(() => open().server.handle(pair().client.start())).toThrow(WireError);
});

test("bad input 44: a message changed, cut, repeated, skipped or from another channel is refused", () => {
  const sealed = () => {
    const { client, server } = open();
    return { server, first: client.seal(ping), second: client.seal(ping) };
  };
  const changed = sealed();
  changed.first[changed.first.length - 1] = (changed.first.at(-1) ?? 0) ^ 1;
  expect(() => changed.server.handle(changed.first)).toThrow(WireError);
  const cut = sealed();
  expect(() => cut.server.handle(cut.first.slice(0, -1))).toThrow(WireError);
  const repeated = sealed();
  repeated.server.handle(repeated.first);
  expect(() => repeated.server.handle(repeated.first)).toThrow(WireError);
  const skipped = sealed();
  expect(() => skipped.server.handle(skipped.second)).toThrow(WireError);
  expect(() => sealed().server.handle(sealed().first)).toThrow(WireError);
});

test("bad input 45: a list of versions changed on the way opens nothing", () => {
  const { client, server } = pair(undefined, ["p2p1", "p2p2"]);
  expect(() => server.handle(client.start())).toThrow(WireError);
});

test("bad input 49: new keys after the limit of messages or of time lose no message", () => {
  for (const [limits, now] of [
    [{ rekeyAfterMessages: 4, rekeyAfterMs: 1e9 }, 0],
    [{ rekeyAfterMessages: 1e9, rekeyAfterMs: 10 }, 11],
  ] as const) {
    const { client, server } = open(limits);
    for (let count = 0; count < 4; count++) expect(server.handle(client.seal(ping)).message).toEqual(ping);
    const first = client.rekey(now) ?? new Uint8Array();
    expect(client.rekey(now)).toBeNull();
    const behind = client.seal(ping);
    const before = server.seal({ kind: "pong" });
    const answer = server.handle(first).reply ?? new Uint8Array();
    const after = server.seal({ kind: "pong" });
    expect(server.handle(behind).message).toEqual(ping);
    expect(client.handle(before).message).toEqual({ kind: "pong" });
    const switched = client.handle(answer).reply ?? new Uint8Array();
    expect(client.handle(after).message).toEqual({ kind: "pong" });
    expect(server.handle(switched)).toEqual({ reply: null, message: null });
    expect(server.handle(client.seal(ping)).message).toEqual(ping);
    expect(client.rekey(now)).toBeNull();
  }
});
