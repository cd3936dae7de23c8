import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { epochAt, pathIdAt } from "../../src/wire/packet/header.ts";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { Seeded } from "../sim/seeded.ts";
import type { P2p } from "../support/binary.ts";
import { flipBit } from "../support/bytes.ts";
import { Community, type Person } from "../support/community.ts";
import { EvilPeer } from "../support/evil-peer.ts";
import { IcmpForger } from "../support/forged-icmp.ts";
import { Gun } from "../support/raw-datagrams.ts";
import { footprintOf, udpSocketsOf } from "../support/raw-proc.ts";
import { RawPeer } from "../support/raw-peer.ts";

const MIB = 2 ** 20;
let town: Community;
let ben: Person;
let atBen: P2p;
let people = 0;
const fresh = (name: string): string => `${name}${++people}`;

beforeAll(async () => {
  town = await Community.found({ flags: ["--open-registration"] });
  ben = await town.register("ben");
});
afterAll(() => town[Symbol.asyncDispose]());
beforeEach(async () => void (atBen = await ben.receiving()));
afterEach(() => atBen[Symbol.asyncDispose]());

/** Where Ben's program is heard over IPv4. */
function benAt(): { readonly ip: string; readonly port: number } {
  const port = udpSocketsOf(atBen.pid).find(({ family }) => family === 4)?.port;
  if (port === undefined) throw new Error("no UDP socket");
  return { ip: "127.0.0.1", port };
}

/** Somebody honest in this process, and a session with Ben on a direct path over IPv4. */
async function directly(carl: RawPeer): Promise<PeerSession> {
  const session = await carl.node.ask("ben", { purpose: "chat", waitMs: 20_000 });
  while (!session.path.remote.endsWith(`:${benAt().port}`)) await Bun.sleep(20);
  for (let count = 0; count < 5; count++) await session.ping();
  return session;
}

const bytesOf = (datagrams: readonly Uint8Array[]): number => datagrams.reduce((sum, { length }) => sum + length, 0);
const paths = (): readonly string[] =>
  atBen.events.flatMap((event) => (event.event === "path" ? [`${event.kind} ${event.remote}`] : []));

test("scenario 40: packets replayed, with bits turned over, or of another session, are not answered and move no path", async () => {
  await using carl = await RawPeer.register(town, fresh("carl"));
  await using dora = await RawPeer.register(town, fresh("dora"));
  const [session, other] = [await directly(carl), await directly(dora)];
  const numbers = new Seeded(40);
  const to = benAt();
  const real = carl.sentTo(to.port);
  const foreign = dora.sentTo(to.port).map((packet) => {
    // The other session's, under the receiver index of this one.
    const head = real.at(-1)?.subarray(4, 8) ?? new Uint8Array(4);
    return new Uint8Array([...packet.subarray(0, 4), ...head, ...packet.subarray(8)]);
  });
  const turned = real.map((packet) => flipBit(packet, numbers.between(64, packet.length * 8 - 1)));
  expect(real.some((packet) => pathIdAt(packet, 0) === 0 && epochAt(packet, 0) === 0)).toBe(true); // challenges too
  const before = [paths(), session.path.remote];
  using gun = await Gun.load("127.0.0.1");
  for (const volley of [real, turned, foreign, real]) {
    expect(volley.length).toBeGreaterThan(5);
    await gun.fire(volley[Symbol.iterator](), volley.length, to);
  }
  for (const each of [session, other]) await each.ping();
  expect(gun.heard).toEqual([]);
  expect([paths(), session.path.remote]).toEqual(before);
  expect([...carl.faults, ...dora.faults]).toEqual([]);
  await Promise.all([session.close(), other.close()]);
});

test("scenario 41, bad input 124: packets taken off their way and sent from elsewhere bring back three times as much at most, and move no path", async () => {
  await using carl = await RawPeer.register(town, fresh("carl"));
  const session = await directly(carl);
  const to = benAt();
  using gun = await Gun.load("127.0.0.1");
  const stolen: Uint8Array[] = [];
  carl.tap.divert = ({ bytes, to: { remote } }) => {
    if (remote.port !== to.port || stolen.length === 20) return false;
    stolen.push(bytes);
    gun.send(bytes, to);
    return true;
  };
  const before = paths();
  while (stolen.length < 20) {
    session.sendDatagram(new Uint8Array(200));
    await Promise.race([session.ping(), Bun.sleep(20)]);
  }
  for (let count = 0; count < 10; count++) await session.ping();
  await Bun.sleep(1_500); // in which challenges to the new source are repeated
  expect(bytesOf(gun.heard)).toBeGreaterThan(0); // it is asked whether it is there
  expect(bytesOf(gun.heard)).toBeLessThanOrEqual(3 * bytesOf(stolen));
  expect(paths().filter((path) => !before.includes(path) && !path.startsWith("relay"))).toEqual([]);
  expect(carl.faults).toEqual([]);
  await session.close();
});

test("bad input 94: challenges from 300 addresses bring none of them more than three times what came from there", async () => {
  await using mallory = await EvilPeer.register(town, fresh("mallory"));
  await mallory.meet("ben");
  await mallory.open(300);
  const residentBefore = footprintOf(atBen.pid).residentBytes;
  const to = benAt();
  for (let round = 0; round < 3; round++) {
    for (const socket of mallory.sockets.keys()) mallory.challenge(socket, to);
    await mallory.ping();
  }
  await Bun.sleep(1_500); // in which a source that does not answer is asked again
  await mallory.ping();
  const active = mallory.sockets.filter(({ sentBytes }) => sentBytes > 0);
  expect(active.length).toBeGreaterThan(100);
  expect(active.some(({ heardBytes }) => heardBytes > 0)).toBe(true);
  for (const { sentBytes, heardBytes } of mallory.sockets) expect(heardBytes).toBeLessThanOrEqual(3 * sentBytes);
  expect(footprintOf(atBen.pid).residentBytes - residentBefore).toBeLessThan(20 * MIB);
  expect(paths().filter((path) => !path.startsWith("relay"))).toEqual([]);
});

test.skipIf(process.getuid?.() !== 0)(
  "scenario 42: ICMP messages that somebody makes up about the path in use, and about a candidate, change nothing",
  async () => {
    await using carl = await RawPeer.register(town, fresh("carl"));
    const session = await directly(carl);
    using forger = new IcmpForger();
    // Both on this machine, so under one address.
    const ip = session.path.remote.replace(/:\d+$/, "");
    const [here, there] = [
      { ip, port: carl.port },
      { ip, port: benAt().port },
    ];
    const before = paths();
    for (let count = 0; count < 40; count++) {
      forger.portUnreachable(there, here);
      forger.portUnreachable(here, there);
      forger.portUnreachable(there, { ip, port: 9 });
      await session.ping();
    }
    expect(paths()).toEqual(before);
    expect(carl.faults).toEqual([]);
    await session.close();
  },
);
