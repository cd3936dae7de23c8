import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { systemClock } from "../../src/modes/server/clock.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { CHANNEL_SUBPROTOCOL, MAX_SIGNALLING_BYTES } from "../../src/wire/limits.ts";
import { relay } from "../../src/wire/messages/relay.ts";
import { hmacSha256, KeyPair } from "../../src/wire/noise/primitives.ts";
import { ChannelClient } from "../../src/wire/rendezvous/channel.ts";
import { closeCodeIn, frame, type Frame, RawConnection, upgradeRequest } from "./raw-http.ts";
import { Stage, type TestPeer } from "./server-stage.ts";

/** So many times faster than the clock on the wall: no test waits 10 s for a deadline. */
const HASTE = 20;
let stage: Stage;
/** Signed in before the attacks, and still there after each. */
let witness: TestPeer;
const opened: RawConnection[] = [];

beforeAll(async () => {
  const clock = systemClock((error) => process.emitWarning(String(error)));
  const start = clock.now();
  const hasty = {
    ...clock,
    now: () => start + (clock.now() - start) * HASTE,
    after: (delayMs: number, action: () => void) => clock.after(delayMs / HASTE, action),
  };
  // Ten times as many on loopback.
  stage = await Stage.open({ clock: hasty, limits: { "limit-newcomers-per-address": 2 } });
  witness = await stage.present("witness");
});
afterAll(() => stage[Symbol.asyncDispose]());

afterEach(async () => {
  for (const connection of opened.splice(0)) connection.close();
  expect(await witness.request({ kind: "listDevices" })).toMatchObject({ kind: "devices" });
  expect(stage.log.filter((line) => /defect|trouble|request-failed/.test(line))).toEqual([]);
});

async function open(): Promise<RawConnection> {
  const connection = await RawConnection.open(stage.port);
  opened.push(connection);
  return connection;
}

async function webSocket(path?: string, headers?: readonly string[]): Promise<RawConnection> {
  const connection = await RawConnection.webSocket(stage.port, path, headers);
  opened.push(connection);
  return connection;
}

/** How the server ends a WebSocket over these bytes: its close code, or null when it merely hangs up. */
async function endOver(...frames: readonly (Frame | Uint8Array)[]): Promise<number | null> {
  const connection = await webSocket();
  for (const each of frames) connection.write(each instanceof Uint8Array ? each : frame(each));
  return closeCodeIn(await connection.ended);
}

async function statusOf(request: string): Promise<string> {
  const connection = await open();
  connection.write(request);
  const text = await connection.until((received) => received.includes("\r\n"));
  return text.slice(9, 12);
}

const CHALLENGE_BYTES = relay.encode({ kind: "challenge", nonce: new Uint8Array(32) }).length;
const utf8 = (text: string) => new TextEncoder().encode(text);

test.each<[string, readonly Frame[]]>([
  ["unmasked", [{ opcode: 2, payload: utf8("x"), masked: false }]],
  ["with RSV1", [{ opcode: 2, payload: utf8("x"), reserved: 0x40 }]],
  ["with RSV2", [{ opcode: 2, payload: utf8("x"), reserved: 0x20 }]],
  ["of opcode 3", [{ opcode: 3 }]],
  ["of opcode 7", [{ opcode: 7 }]],
  ["of opcode 11", [{ opcode: 11 }]],
  ["of opcode 15", [{ opcode: 15 }]],
  ["that continues nothing", [{ opcode: 0, payload: utf8("x") }]],
  [
    "inside an unfinished message",
    [
      { opcode: 2, payload: utf8("x"), fin: false },
      { opcode: 2, payload: utf8("x") },
    ],
  ],
  ["of control with 126 bytes", [{ opcode: 9, payload: new Uint8Array(126) }]],
  ["of control in pieces", [{ opcode: 9, fin: false }]],
])("bad inputs 21 and 23: a frame %s ends the connection", async (_, frames) => {
  expect([null, 1_002, 1_008]).toContain(await endOver(...frames));
});

test("bad input 22: text ends the connection, whole or broken", async () => {
  expect(await endOver({ opcode: 1, payload: utf8("hello") })).toBe(1_003);
  expect([null, 1_003, 1_007]).toContain(await endOver({ opcode: 1, payload: Uint8Array.of(0xff, 0xfe) }));
});

test.each([
  [Uint8Array.of(3)],
  [Uint8Array.of(3, 0xed)],
  [Uint8Array.of(3, 0xe7)],
  [Uint8Array.of(0x13, 0x88)],
  [Uint8Array.of(3, 0xe8, 0xff)],
])("bad input 23: a close frame of %p ends the connection", async (payload) => {
  const code = await endOver({ opcode: 8, payload });
  expect(code === null || (code >= 1_000 && code < 5_000)).toBe(true);
});

test("bad input 24: a message over the limit, or one that claims to be, ends the connection before it is there", async () => {
  const limit = MAX_SIGNALLING_BYTES + 1_024;
  const before = process.memoryUsage().rss;
  expect([null, 1_009]).toContain(await endOver({ opcode: 2, length: limit + 1 }));
  for (const length of [2n ** 32n, 2n ** 62n, 2n ** 63n])
    expect([null, 1_002, 1_009]).toContain(await endOver({ opcode: 2, length }));
  const half = { opcode: 2, payload: new Uint8Array(limit / 2), fin: false };
  expect([null, 1_009]).toContain(await endOver(half, { ...half, opcode: 0 }, { ...half, opcode: 0, fin: true }));
  expect(await endOver({ opcode: 2, payload: new Uint8Array(limit) })).toBe(1_008);
  expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
});

test("bad input 25: unfinished messages in tiny pieces cost no memory, and the deadline ends them", async () => {
  const before = process.memoryUsage().rss;
  const piece = frame({ opcode: 0, payload: utf8("x"), fin: false });
  const pieces = new Uint8Array(Buffer.concat(Array.from({ length: 20_000 }, () => piece)));
  const connections = await Promise.all(Array.from({ length: 8 }, () => webSocket()));
  for (const connection of connections) {
    connection.write(frame({ opcode: 2, payload: utf8("x"), fin: false }));
    connection.write(pieces);
  }
  const codes = (await Promise.all(connections.map(({ ended }) => ended))).map(closeCodeIn);
  expect(codes).toEqual(Array.from({ length: 8 }, () => 1_008));
  expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
});

test("bad input 26: pings over the rate end the connection", async () => {
  const pings = new Uint8Array(Buffer.concat(Array.from({ length: 10_000 }, () => frame({ opcode: 9 }))));
  expect(await endOver(pings)).toBe(1_008);
});

test("bad input 27: compression is not agreed to, and a compressed frame ends the connection", async () => {
  const connection = await webSocket("/v1/channel", [
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
  ]);
  expect(connection.text).toStartWith("HTTP/1.1 101");
  expect(connection.text.toLowerCase()).not.toContain("permessage-deflate");
  connection.write(frame({ opcode: 2, payload: new Uint8Array(8_192), reserved: 0x40 }));
  expect([null, 1_002]).toContain(closeCodeIn(await connection.ended));
});

test("bad input 28: who says nothing after the upgrade, or half a handshake, is gone after the deadline", async () => {
  const silent = await webSocket();
  const half = await webSocket();
  half.write(frame({ opcode: 2, payload: firstMessage().subarray(0, 40), fin: false }));
  const replayed = await webSocket();
  replayed.write(frame({ opcode: 2, payload: firstMessage() }));
  const ends = await Promise.all([silent.ended, half.ended, replayed.ended]);
  expect(ends.map(closeCodeIn)).toEqual([1_008, 1_008, 1_008]);
  expect(stage.meeting.newcomers.size).toBe(0);
});

test.each([
  ["a header of 100 KB", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(100_000)}\r\n\r\n`],
  ["a thousand headers", `GET / HTTP/1.1\r\nHost: x\r\n${"X: y\r\n".repeat(1_000)}\r\n`],
  ["a request line of 20 KB", `GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
  ["a wrong version of HTTP", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
  ["a host that is none", "GET /v1/key HTTP/1.1\r\nHost: a b:c\r\n\r\n"],
  ["no key", upgradeRequest("/v1/channel").replace(/Sec-WebSocket-Key.*\r\n/, "")],
  ["no subprotocol of ours", upgradeRequest("/v1/channel", ["Sec-WebSocket-Protocol: p2p0, other"])],
  ["a long list of subprotocols", upgradeRequest("/v1/channel", [`Sec-WebSocket-Protocol: p2p1, ${"x".repeat(300)}`])],
])("bad input 29: a request with %s is refused", async (_, request) => {
  expect(await statusOf(request)).toMatch(/^[45]\d\d$/);
});

test("bad input 30: whatever has an Origin is turned away", async () => {
  for (const path of ["/v1/channel", "/v1/relay"])
    for (const origin of ["http://127.0.0.1", "null", ""])
      expect(await statusOf(upgradeRequest(path, [`Origin: ${origin}`]))).toBe("403");
});

test("bad input 31: other paths and methods get an empty answer", async () => {
  const paths = [
    "/v1",
    "/v2/channel",
    "//",
    "/..%2f",
    "/%00",
    "/healthz/",
    "/admin",
    "/v1/channel/x",
    `/${"a".repeat(10_000)}`,
  ];
  for (const path of paths) {
    const connection = await open();
    connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const [head = "", body] = new TextDecoder().decode(await connection.ended).split("\r\n\r\n");
    expect([path, head.slice(9, 12), body]).toEqual([path, "404", ""]);
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    for (const path of ["/", "/healthz", "/v1/key", "/v1/channel", "/v1/relay"]) {
      const response = await fetch(`http://127.0.0.1:${stage.port}${path}`, { method });
      expect([method, path, response.status, await response.text()]).toEqual([method, path, 405, ""]);
    }
  for (const line of ["TRACE /", "CONNECT /", "CONNECT 127.0.0.1:22"])
    expect(await statusOf(`${line} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(/^40[45]$/);
  // The runtime hangs up on a method that it does not know.
  expect(await statusOf("BREW /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).toBe("");
});

test("bad input 31: the three open pages answer, and an upgrade that is none is told so", async () => {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${stage.port}${path}`);
    return [response.status, await response.text()] as const;
  };
  const [pageStatus, page] = await get("/");
  const [, key] = await get("/v1/key");
  expect(pageStatus).toBe(200);
  expect(key).toMatch(/^[a-z2-7]{52}\n$/);
  expect(page).toContain(key.trim());
  expect(await get("/healthz")).toEqual([200, "ok\n"]);
  expect(await get("/v1/channel")).toEqual([426, ""]);
});

test.each([
  ["no length", "POST / HTTP/1.1\r\nHost: x\r\n\r\nbody"],
  ["a length that is no number", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\nbody"],
  ["a negative length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nbody"],
  ["two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 400\r\n\r\nbody"],
  [
    "a length and pieces",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ],
  ["a piece of 4 GB", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\nx"],
  ["1 GB", `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n${"x".repeat(100_000)}`],
])("bad input 32: a body of %s is refused unread", async (_, request) => {
  expect(await statusOf(request)).toMatch(/^4\d\d$/);
});

test("bad inputs 33 and 35: so many newcomers of one address, whatever their headers say, and who is in stays in", async () => {
  const sockets = Array.from({ length: 24 }, (_, at) => {
    const headers = {
      "X-Forwarded-For": `10.0.0.${at}`,
      Forwarded: `for=10.0.1.${at}`,
      "CF-Connecting-IP": `10.0.2.${at}`,
      "X-Real-IP": `10.0.3.${at}`,
    };
    const socket = new WebSocket(stage.url("/v1/channel"), { protocols: [CHANNEL_SUBPROTOCOL], headers });
    const closed = new Promise<string>((resolve) =>
      socket.addEventListener("close", ({ code, reason }) => resolve(`${code} ${reason}`)),
    );
    return { socket, closed };
  });
  const ends = await Promise.all(sockets.map(({ closed }) => closed));
  expect(ends.filter((end) => end === "1013 limited 2").length).toBe(4);
  expect(ends.filter((end) => end.startsWith("1008")).length).toBe(20);
});

test("bad input 36: a leg whose reader never reads holds 256 KiB at most and is cut off, the others go on", async () => {
  const [fast, slow] = [await stage.register("fast"), await stage.present("slow")];
  const session = systemRandom(16);
  const previews = [{ device: slow.deviceId, sealed: utf8("x") }];
  fast.tell({ kind: "ring", session, name: "slow", purpose: 1, previews });
  await slow.hear("incoming");
  slow.tell({ kind: "accept", session, versions: Uint8Array.of(1), handshake: utf8("first"), hidden: false });
  await fast.hear("observed");
  const [sender, reader] = [await boundLeg(fast, session), await boundLeg(slow, session)];
  reader.socket.pause();
  const before = process.memoryUsage().rss;
  for (let at = 0; at < 2_000; at++) sender.write(frame({ opcode: 2, payload: new Uint8Array(16_000) }));
  expect(await fast.request({ kind: "listDevices" })).toMatchObject({ kind: "devices" });
  // What is not read yet may hide the end; the server has let go of the leg when the sender's packets come back inside the channel.
  while (slow.unheard.every(({ kind }) => kind !== "forward")) {
    sender.write(frame({ opcode: 2, payload: utf8("still there?") }));
    await Bun.sleep(20);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
});

test("bad input 38: what is no HTTP/1.1 is hung up on", async () => {
  const hello = Uint8Array.of(0x16, 3, 1, 0, 0x2e, 1, 0, 0, 0x2a, 3, 3, ...new Uint8Array(40));
  for (const bytes of [hello, utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), utf8("SSH-2.0-x\r\n\r\n")]) {
    const connection = await open();
    connection.write(bytes);
    expect(closeCodeIn(await connection.ended)).toBeNull();
  }
});

function firstMessage(): Uint8Array {
  const keys = KeyPair.generate(systemRandom);
  const options = { keys, serverKey: stage.serverKey, offered: [CHANNEL_SUBPROTOCOL], random: systemRandom, now: 0 };
  return new ChannelClient(options).start();
}

async function boundLeg(peer: TestPeer, session: Uint8Array): Promise<RawConnection> {
  const leg = await peer.request({ kind: "openLeg", session });
  if (leg.kind !== "leg") throw new Error(leg.kind);
  const connection = await webSocket("/v1/relay");
  await connection.until(
    () => connection.received.length >= connection.text.indexOf("\r\n\r\n") + 4 + 2 + CHALLENGE_BYTES,
  );
  const challenge = relay.decode(connection.received.subarray(-CHALLENGE_BYTES));
  if (challenge.kind !== "challenge") throw new Error(challenge.kind);
  const mac = hmacSha256(leg.key, utf8("p2p leg"), challenge.nonce, leg.leg);
  const before = connection.received.length;
  connection.write(frame({ opcode: 2, payload: relay.encode({ kind: "bind", leg: leg.leg, mac }) }));
  await connection.until(() => connection.received.length > before);
  return connection;
}
