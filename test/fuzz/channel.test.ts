import { afterAll, beforeAll, expect, test } from "bun:test";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { concat } from "../../src/wire/bytes.ts";
import { CHANNEL_SUBPROTOCOL, MAX_SIGNALLING_BYTES } from "../../src/wire/limits.ts";
import type { SignallingMessage } from "../../src/wire/messages/signalling.ts";
import { KeyPair, SigningKeyPair } from "../../src/wire/noise/primitives.ts";
import { frame } from "../e2e/raw-http.ts";
import { Seeded } from "../sim/seeded.ts";
import { flipBit } from "../support/bytes.ts";
import type { P2p } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";
import { RawChannelClient } from "../support/raw-channel.ts";
import { pick } from "../support/raw-datagrams.ts";
import { hostileMessages, messagesOfProtocol, plausibleMessages } from "../support/raw-messages.ts";
import { type Footprint, footprintOf, settledFootprint } from "../support/raw-proc.ts";
import { RawSocket } from "../support/raw-socket.ts";

// 100 000 hostile messages in all, at a server that runs: before the handshake, behind it, in a channel, and as a member.
const PER_CONNECTION = 50;
const CONNECTIONS = { handshake: 800, transport: 400, channel: 400, member: 400 };
const AT_ONCE = 8;
/** A server closes without a word of explanation: RFC 6455 §7.4.1 for what is no WebSocket, our own policy for the rest. */
const SILENT_CLOSES = [null, 1_002, 1_003, 1_006, 1_007, 1_008, 1_009];
const BUSY = 1_013;
const GROWTH_BYTES = 40 * 1_024 * 1_024;
const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);

let town: Community;
let ana: Person;
let receiver: P2p;
let serverKey: Uint8Array;
let before: Footprint;
const samples = [...messagesOfProtocol("5. ").values()];

beforeAll(async () => {
  town = await Community.found({ flags: ["--open-registration"] });
  ana = await town.register("ana");
  receiver = await (await town.register("ben")).receiving();
  // Who have met once do not wait behind strangers that ring.
  expect((await ana.run("msg", "ben", "we have met")).exitCode).toBe(0);
  await receiver.waitFor("message");
  serverKey = parseJoinLine(town.joinLine).key ?? new Uint8Array();
  before = footprintOf(town.server.pid);
});

afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await town[Symbol.asyncDispose]();
});

/** Runs so many attacks, eight from one address; those that the server is too busy for begin again. */
async function attack(count: number, run: (socket: RawSocket, numbers: Seeded) => Promise<void>): Promise<void> {
  let begun = 0;
  const one = async () => {
    while (begun < count) {
      const index = begun++;
      const numbers = new Seeded(seed + index);
      for (let busy = true; busy;) {
        using socket = await RawSocket.open(portOf(town), sourceOf(index));
        await run(socket, numbers);
        busy = socket.closeCode === BUSY;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** Few enough upgrades each not to meet the limit of one address. */
function sourceOf(index: number): string {
  return `127.1.${(index >> 3) >> 8}.${(index >> 3) & 255}`;
}

function portOf({ http }: Community): number {
  return Number(http.split(":").at(-1));
}

function newChannel(keys = KeyPair.generate(systemRandom)): RawChannelClient {
  return new RawChannelClient({ keys, serverKey, offered: [CHANNEL_SUBPROTOCOL], random: systemRandom, now: 0 });
}

/** Null when the server hung up instead. */
async function handshake(socket: RawSocket, keys?: KeyPair): Promise<RawChannelClient | null> {
  const channel = newChannel(keys);
  socket.send(channel.start());
  const answer = await socket.next();
  if (answer === null) return null;
  channel.handle(answer);
  return channel;
}

/** What a program that speaks the protocol would never put on the wire, frames among it that are none. */
function hostileFrame(numbers: Seeded, genuine: Uint8Array): Uint8Array {
  const payload = hostilePayload(numbers, genuine);
  if (numbers.chance(0.8)) return frame({ opcode: 2, payload });
  switch (numbers.between(0, 7)) {
    case 0:
      return frame({ opcode: numbers.between(0, 15), payload });
    case 1:
      return frame({ opcode: 2, payload, masked: false });
    case 2:
      return frame({ opcode: 2, payload, reserved: pick(numbers, [0x40, 0x20, 0x10]) });
    case 3:
      return frame({ opcode: 2, payload, fin: false });
    case 4:
      return frame({ opcode: 2, payload, length: pick(numbers, [2 ** 20, 2n ** 32n, 2n ** 62n, 2n ** 63n]) });
    case 5:
      return frame({ opcode: 1, payload });
    case 6:
      return frame({ opcode: pick(numbers, [8, 9, 10]), payload: payload.subarray(0, 125) });
    default:
      return numbers.bytes(numbers.between(1, 100));
  }
}

function hostilePayload(numbers: Seeded, genuine: Uint8Array): Uint8Array {
  switch (numbers.between(0, 4)) {
    case 0:
      return numbers.bytes(numbers.between(0, 200));
    case 1:
      return genuine.subarray(0, numbers.between(0, genuine.length - 1));
    case 2:
      return concat(genuine, numbers.bytes(numbers.between(1, 100)));
    case 3:
      return numbers.chance(0.02) ? numbers.bytes(MAX_SIGNALLING_BYTES + 2_000) : numbers.bytes(genuine.length);
    default:
      return flipBit(genuine, numbers.between(0, genuine.length * 8 - 1));
  }
}

test(`bad inputs 21, 22, 39 and 41: 40 000 frames before the handshake are answered by nothing but the end (seed ${seed})`, async () => {
  await attack(CONNECTIONS.handshake, async (socket, numbers) => {
    const genuine = newChannel().start();
    for (let count = 0; count < PER_CONNECTION; count++) socket.write(hostileFrame(numbers, genuine));
    await socket.finish();
    expect(socket.messages).toEqual([]);
    if (socket.closeCode !== BUSY) expect(SILENT_CLOSES).toContain(socket.closeCode);
  });
}, 60_000);

test(`bad inputs 43 and 44: 20 000 frames in place of sealed messages are answered by nothing but the end (seed ${seed})`, async () => {
  await attack(CONNECTIONS.transport, async (socket, numbers) => {
    const channel = await handshake(socket);
    if (channel === null) return;
    const genuine = channel.seal({ kind: "signIn", request: 1, token: null });
    for (let count = 0; count < PER_CONNECTION; count++) socket.write(hostileFrame(numbers, genuine));
    await socket.finish();
    expect(socket.messages).toEqual([]);
    expect(SILENT_CLOSES).toContain(socket.closeCode);
  });
}, 60_000);

test(`bad inputs 50 to 54: 20 000 messages that make no sense, in a channel of nobody, are refused until it closes (seed ${seed})`, async () => {
  const heard = new Set<string>();
  await attack(CONNECTIONS.channel, async (socket, numbers) => {
    const channel = await handshake(socket);
    if (channel === null) return;
    say(socket, channel, hostileMessages(numbers, samples));
    await socket.finish();
    for (const answer of answersIn(socket, channel)) heard.add("code" in answer ? answer.code : answer.kind);
    expect(SILENT_CLOSES).toContain(socket.closeCode);
  });
  // A ping is answered to anybody; a rekey is the channel's own.
  const refusals = [
    "bad-message",
    "unknown-type",
    "not-signed-in",
    "bad-name",
    "weak-password",
    "bad-invite",
    "wrong-password",
    "limited",
    "busy",
  ];
  expect([...heard].filter((each) => ![...refusals, "pong", "rekeyed"].includes(each))).toEqual([]);
  expect(heard.isSupersetOf(new Set(refusals.slice(0, 3)))).toBe(true);
}, 60_000);

test(`bad inputs 50 to 58: 20 000 messages of a member that mean nothing do no harm (seed ${seed})`, async () => {
  const keys = KeyPair.generate(systemRandom);
  const kept = [...messagesOfProtocol("5. ")].filter(([kind]) => kind !== "signOut").map(([, bytes]) => bytes);
  const heard = new Set<string>();
  await attack(CONNECTIONS.member, async (socket, numbers) => {
    const channel = await handshake(socket, keys);
    if (channel === null || !(await signIn(socket, channel))) return;
    say(socket, channel, numbers.chance(0.2) ? hostileMessages(numbers, kept) : plausibleMessages(numbers, kept));
    await socket.finish();
    for (const answer of answersIn(socket, channel)) heard.add("code" in answer ? answer.code : answer.kind);
  });
  // They got as far as the directory, the rings and the tickets.
  const far = ["people", "person", "devices", "ticket", "no-such-person", "no-such-request", "no-such-session"];
  expect(far.filter((each) => !heard.has(each))).toEqual([]);
  expect([...heard]).not.toContain("internal");
}, 60_000);

test("the server that heard all this serves on, and is no larger for it", async () => {
  expect((await ana.run("msg", "ben", "still there?")).exitCode).toBe(0);
  expect(await receiver.waitFor("message")).toMatchObject({ text: "still there?" });
  expect((await ana.run("ping", "ben", "-c", "1")).exitCode).toBe(0);
  const after = await settledFootprint(town.server.pid, before);
  expect(after.residentBytes - before.residentBytes).toBeLessThan(GROWTH_BYTES);
  expect(town.server.stderr.split("\n").filter((line) => /defect|trouble|request-failed/.test(line))).toEqual([]);
});

function say(socket: RawSocket, channel: RawChannelClient, messages: Iterator<Uint8Array, never>): void {
  for (let count = 0; count < PER_CONNECTION; count++) socket.send(channel.sealBytes(messages.next().value));
}

/** A mutation may have signed the device out; then it registers again. */
async function signIn(socket: RawSocket, channel: RawChannelClient): Promise<boolean> {
  socket.send(channel.seal({ kind: "signIn", request: 1, token: null }));
  const [answer] = await nextAnswers(socket, channel);
  if (answer?.kind === "signedIn") return true;
  const name = `mallory-${Buffer.from(systemRandom(8)).toString("hex")}`;
  const { publicKey } = SigningKeyPair.generate(systemRandom);
  const fields = { name, password: "correct horse", label: "m", signKey: publicKey, deviceList: new Uint8Array() };
  socket.send(channel.seal({ kind: "register", request: 2, ...fields, invite: null }));
  const [registered] = await nextAnswers(socket, channel);
  return registered?.kind === "signedIn";
}

async function nextAnswers(socket: RawSocket, channel: RawChannelClient): Promise<SignallingMessage[]> {
  const bytes = await socket.next();
  const { message } = bytes === null ? { message: null } : channel.handle(bytes);
  return message === null ? [] : [message];
}

/** A server that was made to change its keys is not followed any further. */
function answersIn(socket: RawSocket, channel: RawChannelClient): SignallingMessage[] {
  const answers: SignallingMessage[] = [];
  for (const bytes of socket.messages) {
    try {
      const { message } = channel.handle(bytes);
      if (message !== null) answers.push(message);
    } catch {
      return answers;
    }
  }
  return answers;
}
