import { expect, test } from "bun:test";
import { systemRandom } from "../../src/modes/peer/own-device.ts";
import { CHANNEL_SUBPROTOCOL } from "../../src/wire/limits.ts";
import { signalling, type SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { PeerEnd, type PeerEndEvent } from "../../src/wire/rendezvous/peer-end.ts";
import { Seeded } from "../sim/seeded.ts";
import type { Finished } from "../support/binary.ts";
import { EvilServer, type Visitor } from "../support/evil-server.ts";
import { RawChannelServer } from "../support/raw-channel.ts";
import { hostileMessages, messagesOfProtocol, plausibleMessage, plausibleMessages } from "../support/raw-messages.ts";
import { footprintOf, settledFootprint } from "../support/raw-proc.ts";

const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);
const samples = [...messagesOfProtocol("5. ").values()];
const GROWTH_BYTES = 30 * 1_024 * 1_024;

/** Both ends of an open channel, the server's to seal anything. */
function openChannel(): { end: PeerEnd; server: RawChannelServer } {
  const [serverKeys, keys] = [KeyPair.generate(systemRandom), KeyPair.generate(systemRandom)];
  const common = { offered: [CHANNEL_SUBPROTOCOL], random: systemRandom, now: 0 };
  const server = new RawChannelServer({ ...common, keys: serverKeys });
  const end = new PeerEnd({ ...common, keys, serverKey: serverKeys.publicKey });
  const { reply } = server.handle(end.pollTransmit() ?? new Uint8Array());
  end.handleMessage(0, reply ?? new Uint8Array());
  expect(end.pollEvent()).toEqual({ kind: "open" });
  return { end, server };
}

function eventsOf(end: PeerEnd): PeerEndEvent[] {
  const events: PeerEndEvent[] = [];
  for (let event = end.pollEvent(); event !== null; event = end.pollEvent()) events.push(event);
  return events;
}

test(`bad inputs 50 to 53: whatever a server seals, a PeerEnd tells a message of the table or that the channel is over (seed ${seed})`, () => {
  const numbers = new Seeded(seed);
  const [hostile, plausible] = [hostileMessages(numbers, samples), plausibleMessages(numbers, samples)];
  let [channel, told, broken] = [openChannel(), 0, 0];
  for (let count = 0; count < 20_000; count++) {
    channel.end.request({ kind: "listDevices" });
    channel.end.handleMessage(0, channel.server.sealBytes((numbers.chance(0.03) ? hostile : plausible).next().value));
    for (const event of eventsOf(channel.end)) {
      if (event.kind === "over") broken++;
      else if (event.kind !== "open") expect(signalling.kinds).toContain(event.message.kind);
      told++;
    }
    if (channel.end.pollTimeout() === null) channel = openChannel();
  }
  expect(broken).toBeGreaterThan(100);
  expect(told - broken).toBeGreaterThan(1_000);
}, 30_000);

test(`bad inputs 50 to 55: a program goes on under a server that says 5 000 things that mean nothing (seed ${seed})`, async () => {
  await using server = new EvilServer();
  const [ana, ben] = [await server.register("ana"), await server.register("ben")];
  await using receiver = await ben.receiving();
  const before = footprintOf(receiver.pid);
  const numbers = new Seeded(seed);
  const plausible = plausibleMessages(numbers, samples);
  for (let round = 0; round < 100; round++) {
    for (const visitor of server.of("ben"))
      for (let count = 0; count < 50; count++) sayUnlessLast(visitor, plausible.next().value);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  expect((await ana.run("msg", "ben", "still there?")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "still there?" });
  const after = await settledFootprint(receiver.pid, before);
  expect(after.residentBytes - before.residentBytes).toBeLessThan(GROWTH_BYTES);
  expect(receiver.events.filter((event) => event.event === "error" && event.code === "internal")).toEqual([]);
}, 60_000);

/** After these the program would rightly think that the channel is broken, or go away for as long as it was told. */
function sayUnlessLast(visitor: Visitor, plain: Uint8Array): void {
  const { kind } = signalling.decode(plain);
  if (kind !== "rekeyed" && kind !== "goodbye") visitor.sayBytes(plain);
}

test(`a program that loses its channel to nonsense comes back, and is found again (seed ${seed})`, async () => {
  await using server = new EvilServer();
  const [ana, ben] = [await server.register("ana"), await server.register("ben")];
  await using receiver = await ben.receiving();
  for (const nonsense of [new Uint8Array(), new Uint8Array(70_000), Uint8Array.of(0x91, 0xc0)]) {
    const [visitor] = server.of("ben");
    visitor?.sayBytes(nonsense);
    visitor?.sayRaw(systemRandom(100));
    while (server.of("ben").every((each) => each === visitor || each.answers === 0)) await Bun.sleep(20);
  }
  expect((await ana.run("msg", "ben", "still there?")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "still there?" });
}, 60_000);

test(`whatever a server changes while two people meet, it ends with a code, and never with a defect (seed ${seed})`, async () => {
  await using server = new EvilServer();
  const [ana, ben] = [await server.register("ana"), await server.register("ben")];
  await using receiver = await ben.receiving();
  expect((await ana.run("msg", "ben", "we have met")).exitCode).toBe(0);
  const numbers = new Seeded(seed);
  const meeting = /^(person|ringing|incoming|accepted|refused|observed|forward|gone|cancel)$/;
  server.twist = (message) =>
    meeting.test(message.kind) && numbers.chance(0.15) ? [changed(numbers, message)] : [message];
  const calls = Array.from({ length: 12 }, () => ana.run("msg", "ben", "for you alone", "--wait", "3"));
  for (const finished of await Promise.all(calls)) expectCode(finished);

  server.twist = (message) => [message];
  expect((await ana.run("msg", "ben", "still there?")).exitCode).toBe(0);
  await receiver.waitFor("message", ({ text }) => text === "still there?");
  expect(receiver.events.filter((event) => event.event === "error" && event.code === "internal")).toEqual([]);
}, 60_000);

function expectCode({ exitCode, events }: Finished): void {
  expect([0, 4, 5, 6, 8, 11]).toContain(exitCode);
  const last = events.at(-1);
  expect(last?.event).toBe(exitCode === 0 ? "closed" : "error");
}

/** The answer to a question stays one. */
function changed(numbers: Seeded, message: SignallingMessage): SignallingMessage {
  const request = "request" in message ? message.request : 0;
  return signalling.decode(plausibleMessage(numbers, signalling.encode(message), request));
}
