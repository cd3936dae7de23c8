import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { UdpPort } from "../../src/modes/runtime/udp-port.ts";
import type { Message } from "../../src/modes/server/members.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { decodeReply } from "../../src/wire/messages/discovery.ts";
import { flipBit } from "../support/bytes.ts";
import { requestUnder } from "../unit/modes/server/tickets.ts";
import { Stage, type TestPeer } from "./server-stage.ts";

let stage: Stage;
let ana: TestPeer;
let ticket: Message<"ticket">;
let sequence = 0;
let port: UdpPort;
const received: Uint8Array[] = [];
let wake = () => {};

beforeAll(async () => {
  stage = await Stage.open();
  ana = await stage.register("ana");
});
afterAll(() => stage[Symbol.asyncDispose]());

beforeEach(async () => {
  received.length = 0;
  port = await openPort();
  await renewTicket();
});
afterEach(async () => {
  port.close();
  expect(await ana.request({ kind: "listDevices" })).toMatchObject({ kind: "devices" });
  expect(stage.log.filter((line) => line.includes("defect"))).toEqual([]);
});

async function renewTicket(): Promise<void> {
  const answer = await ana.request({ kind: "getTicket" });
  if (answer.kind !== "ticket") throw new Error(answer.kind);
  ticket = answer;
  sequence = 0;
}

function openPort(): Promise<UdpPort> {
  const onDatagram = (datagram: Uint8Array) => {
    received.push(datagram);
    wake();
  };
  return UdpPort.open({ ip: "127.0.0.1", onDatagram, onFault: (error) => process.emitWarning(String(error)) });
}

function say(datagram: Uint8Array, from = port): void {
  for (const to of stage.udpPorts) from.send(datagram, { ip: "127.0.0.1", port: to });
}

/** One good request to each port. */
function ask(): void {
  for (const to of stage.udpPorts) port.send(requestUnder(ticket, ++sequence), { ip: "127.0.0.1", port: to });
}

/** The next `count` replies. */
async function replies(count: number): Promise<Uint8Array[]> {
  while (received.length < count) await new Promise<void>((resolve) => (wake = resolve));
  return received.splice(0, count);
}

/** Nothing that was said before is answered: a good request behind it is, and alone. */
async function expectSilence(): Promise<void> {
  await renewTicket();
  ask();
  const answers = await replies(2);
  expect(answers.map((answer) => decodeReply(answer)?.ticketId)).toEqual([ticket.ticket, ticket.ticket]);
  expect(received).toEqual([]);
}

test("each port answers with where the request came from, in no more bytes than it had", async () => {
  ask();
  const answers = await replies(2);
  const decoded = answers.map((answer) => decodeReply(answer));
  expect(decoded.map((reply) => reply?.address)).toEqual([port.address, port.address]);
  expect(new Set(decoded.map((reply) => reply?.listener))).toEqual(new Set([0, 1]));
  expect(answers.map(({ length }) => length)).toEqual([72, 72]);
});

test.each([0, 1, 15, 71, 73, 1_500, 9_000, 65_507])(
  "bad input 1: %d bytes of zeros, ones and noise get no answer",
  async (length) => {
    for (const bytes of [new Uint8Array(length), new Uint8Array(length).fill(255), noise(length)]) say(bytes);
    await expectSilence();
  },
);

test("bad input 2: an unknown ticket gets no answer", async () => {
  say(requestUnder({ ticket: systemRandom(16), key: ticket.key }, 1));
  await expectSilence();
});

test("bad input 3: any bit of the MAC turned gets no answer, nor does one of zeros or ones", async () => {
  const request = requestUnder(ticket, 1);
  for (let bit = 56 * 8; bit < 72 * 8; bit++) say(flipBit(request, bit));
  for (const value of [0, 255]) say(new Uint8Array([...request.subarray(0, 56), ...new Uint8Array(16).fill(value)]));
  await expectSilence();
});

test("bad inputs 4 and 5: a request said again is answered once, also from elsewhere", async () => {
  const request = requestUnder(ticket, 1);
  const [first = 0] = stage.udpPorts;
  for (let at = 0; at < 1_000; at++) port.send(request, { ip: "127.0.0.1", port: first });
  const other = await openPort();
  other.send(request, { ip: "127.0.0.1", port: first });
  await replies(1);
  await expectSilence();
  other.close();
});

test("bad input 8: a thousand new requests are answered ten times", async () => {
  const [first = 0] = stage.udpPorts;
  for (let at = 1; at <= 1_000; at++) port.send(requestUnder(ticket, at), { ip: "127.0.0.1", port: first });
  await replies(10);
  await expectSilence();
});

test("bad inputs 9 and 10: padding that is not zero, other versions and other types get no answer", async () => {
  const request = requestUnder(ticket, 1);
  for (const at of [36, 45, 55]) say(changed(request, at, 1));
  for (const version of [0, 0x20, 0xff]) say(changed(request, 1, version));
  for (const type of [0, 2, 3, 255]) say(changed(request, 0, type));
  await expectSilence();
});

test("bad input 7: a ticket of a channel that closed gets no answer", async () => {
  const ben = await stage.register("ben");
  const answer = await ben.request({ kind: "getTicket" });
  if (answer.kind !== "ticket") throw new Error(answer.kind);
  ben.close();
  await ben.closed;
  await ana.settled();
  say(requestUnder(answer, 1));
  await expectSilence();
});

test.each([
  ["a token", new TextEncoder().encode("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2ln")],
  ["an HTTP request", new TextEncoder().encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
  ["a DNS query", Uint8Array.of(0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x78, 0, 0, 1, 0, 1)],
  ["a STUN binding request", Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Uint8Array(12))],
  ["a QUIC Initial", Uint8Array.of(0xc3, 0, 0, 0, 1, 8, ...new Uint8Array(1_194))],
  ["a WireGuard initiation", Uint8Array.of(1, 0, 0, 0, ...new Uint8Array(144))],
  ["a DTLS hello", Uint8Array.of(0x16, 0xfe, 0xfd, ...new Uint8Array(60))],
])("bad input 17: %s gets no answer", async (_, datagram) => {
  say(datagram);
  await expectSilence();
});

test("bad input 15: a reply to a port that is closed by then does not stop the listener", async () => {
  const gone = await openPort();
  say(requestUnder(ticket, 1), gone);
  gone.close();
  await expectSilence();
});

test("bad input 11: a burst of noise leaves the next request its answer", async () => {
  for (let at = 0; at < 5_000; at++) say(noise(72));
  await expectSilence();
});

function noise(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

function changed(request: Uint8Array, at: number, value: number): Uint8Array {
  const bytes = request.slice();
  bytes[at] = value;
  return bytes;
}
