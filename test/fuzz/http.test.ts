import { afterAll, beforeAll, expect, test } from "bun:test";
import { connect } from "node:net";
import { utf8 } from "../../src/wire/bytes.ts";
import { relay } from "../../src/wire/messages/relay.ts";
import { hmacSha256 } from "../../src/wire/noise/primitives.ts";
import { frame } from "../e2e/raw-http.ts";
import { Seeded } from "../sim/seeded.ts";
import { flipBit } from "../support/bytes.ts";
import { Community, type Person } from "../support/community.ts";
import { pick } from "../support/raw-datagrams.ts";
import { hostileMessages, messagesOfProtocol } from "../support/raw-messages.ts";
import { type Footprint, footprintOf, settledFootprint } from "../support/raw-proc.ts";
import { RawSocket } from "../support/raw-socket.ts";

const REQUESTS = 4_000;
const RELAY_CONNECTIONS = 400;
const AT_ONCE = 8;
const GROWTH_BYTES = 40 * 1_024 * 1_024;
const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);

let town: Community;
let ana: Person;
let port: number;
let before: Footprint;

beforeAll(async () => {
  town = await Community.found();
  port = Number(town.http.split(":").at(-1));
  ana = await town.register("ana");
  before = footprintOf(town.server.pid);
});
afterAll(() => town[Symbol.asyncDispose]());

const token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2ln";
const methods = [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "TRACE",
  "CONNECT",
  "OPTIONS",
  "PATCH",
  "get",
  "G\tT",
  "",
  "X".repeat(300),
];
const paths = [
  "/",
  "/healthz",
  "/v1/key",
  "/v1/channel",
  "/v1/relay",
  "//",
  "/..%2f..%2fetc/passwd",
  "/%00",
  "*",
  "/v1/key/",
  "http://x/",
  `/${"a".repeat(9_000)}`,
  `/?token=${token}`,
];
const headers = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Version: 99",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  "Sec-WebSocket-Key: short",
  "Sec-WebSocket-Protocol: p2p1",
  "Sec-WebSocket-Protocol: p2p1, p2p2",
  "Sec-WebSocket-Extensions: permessage-deflate",
  "Origin: http://evil.example",
  "Content-Length: 10",
  "Content-Length: -1",
  "Content-Length: abc",
  "Transfer-Encoding: chunked",
  "X-Forwarded-For: 127.0.0.1",
  `Authorization: Bearer ${token}`,
  `Cookie: token=${token}`,
  `X-Long: ${"y".repeat(20_000)}`,
  "\u0000: \u0001",
  "no colon",
];

function hostileRequest(numbers: Seeded): Uint8Array {
  const line = `${pick(numbers, methods)} ${pick(numbers, paths)} HTTP/${pick(numbers, ["1.1", "1.0", "2.0", "9", ""])}`;
  const chosen = Array.from({ length: numbers.between(0, 8) }, () => pick(numbers, headers));
  const bytes = utf8([line, "Host: x", "Connection: close", ...chosen, "", "0123456789"].join("\r\n"));
  return numbers.chance(0.3) ? flipBit(bytes, numbers.between(0, bytes.length * 8 - 1)) : bytes;
}

/** All that comes back until the server, having heard the end, closes; the sources are many, the connections short. */
function answerTo(request: string | Uint8Array, source = "127.0.0.1"): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: "127.0.0.1", port, localAddress: source });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  socket.end(request);
  return promise;
}

async function inParallel(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let begun = 0;
  const one = async () => {
    while (begun < count) await run(begun++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

test(`bad inputs 29 to 33 and 85: ${REQUESTS} hostile requests get the open pages, an upgrade, an empty refusal or nothing (seed ${seed})`, async () => {
  const seen = new Map<string, number>();
  await inParallel(REQUESTS, async (index) => {
    const answer = await answerTo(
      hostileRequest(new Seeded(seed + index)),
      `127.2.${index >> 11}.${(index >> 3) & 255}`,
    );
    for (const response of answer.split(/(?=HTTP\/1\.1 \d)/)) {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? "none";
      seen.set(status, (seen.get(status) ?? 0) + 1);
      if (/^[45]/.test(status)) expect(response.split("\r\n\r\n")[1] ?? "").toBe("");
    }
    expect(answer).not.toMatch(/ana|stack|\bat |Error/);
  });
  expect([...seen.keys()].filter((status) => !/^(none|101|200|4\d\d|505)$/.test(status))).toEqual([]);
  expect(seen.get("200")).toBeGreaterThan(10);
}, 60_000);

test(`bad input 99: ${RELAY_CONNECTIONS} hostile relay legs are refused, one and all (seed ${seed})`, async () => {
  const samples = [...messagesOfProtocol("8. ")].flatMap(([kind, bytes]) =>
    relay.kinds.includes(kind) ? [bytes] : [],
  );
  await inParallel(RELAY_CONNECTIONS, async (index) => {
    const numbers = new Seeded(seed + index);
    using socket = await RawSocket.open(port, `127.3.0.${(index >> 3) & 255}`, "/v1/relay");
    const challenge = await socket.next();
    const leg = numbers.bytes(16);
    const mac = hmacSha256(numbers.bytes(32), utf8("p2p leg"), challenge ?? leg, leg);
    const forged = relay.encode({ kind: "bind", leg, mac });
    const hostile = hostileMessages(numbers, [...samples, forged]);
    for (let count = 0; count < 20; count++) socket.write(frame({ opcode: 2, payload: hostile.next().value }));
    await socket.finish();
    expect(socket.messages.length).toBeLessThanOrEqual(1); // that it is refused
    expect([1_008, 1_009, 1_013]).toContain(socket.closeCode ?? 1_008);
  });
}, 60_000);

test("the server that was asked all this serves on, and is no larger for it", async () => {
  expect(await answerTo("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).toEndWith("ok\n");
  expect((await ana.run("whoami")).exitCode).toBe(0);
  const after = await settledFootprint(town.server.pid, before);
  expect(after.residentBytes - before.residentBytes).toBeLessThan(GROWTH_BYTES);
  expect(town.server.stderr).not.toMatch(/defect|trouble|request-failed/);
});
