import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { splitByLength } from "../../src/wire/packet/split.ts";
import { Seeded } from "../sim/seeded.ts";
import type { P2p } from "../support/binary.ts";
import { flipBit } from "../support/bytes.ts";
import type { Person } from "../support/community.ts";
import type { RelayEnd } from "../support/evil-relay.ts";
import { EvilServer } from "../support/evil-server.ts";
import { randomFile, sha256Of } from "../support/files.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/folder.ts";

const MIB = 2 ** 20;
let server: EvilServer;
let folder: TemporaryFolder;
let ana: Person;
let ben: Person;
let atBen: P2p;

beforeEach(async () => {
  server = new EvilServer();
  server.relay.isOpen = true;
  folder = temporaryFolder();
  [ana, ben] = [await server.register("ana"), await server.register("ben")];
  atBen = await ben.receiving("--yes", "--relay-only");
});

afterEach(async () => {
  await atBen[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Everything that is said or sent arrives as it was, once, in order, and both programs end as ever. */
async function expectUnharmed(name: string): Promise<void> {
  const path = folder.at(name);
  const hash = await randomFile(path, 2 * MIB);
  expect((await ana.run("send", path, "@ben", "--relay-only")).exitCode).toBe(0);
  expect(await atBen.waitFor("saved")).toMatchObject({ name });
  expect(await sha256Of(join(ben.inbox, name))).toBe(hash);
  const lines = Array.from({ length: 20 }, (_, index) => `${name}, line ${index}`);
  await using chat = ana.startWith({ stdin: lines.join("\n") }, "chat", "ben", "--relay-only");
  expect(await chat.exited).toBe(0);
  const heard = atBen.events.flatMap((event) => (event.event === "message" ? [event.text] : []));
  expect(heard.slice(-lines.length)).toEqual(lines);
}

/** What a relay may do to a body, one in ten of them. */
const deeds: Readonly<Record<string, (body: Uint8Array, from: RelayEnd, numbers: Seeded) => void>> = {
  "turns over bits": (body, from, numbers) => from.pass(flipBit(body, numbers.between(0, body.length * 8 - 1))),
  "cuts bodies short": (body, from, numbers) => from.pass(body.subarray(0, numbers.between(0, body.length - 1))),
  "makes bodies longer": (body, from, numbers) => from.pass(new Uint8Array([...body, ...numbers.bytes(40)])),
  "swallows bodies": () => undefined,
  "says them twice, and back to where they came from": (body, from) => {
    from.pass(body);
    from.pass(body);
    from.send(body);
  },
  "puts noise in their place": (body, from, numbers) => from.pass(numbers.bytes(body.length)),
  "turns the packets in them around": (body, from) => {
    for (const packet of [...splitByLength(body)].toReversed()) from.pass(packet);
  },
};

test.each(Object.keys(deeds))("bad input 108: a relay that %s harms nothing", async (what) => {
  const numbers = new Seeded(108);
  let done = 0;
  server.relay.onBody = (body, from) => {
    if (!numbers.chance(0.1)) return from.pass(body);
    done++;
    deeds[what]?.(body, from, numbers);
  };
  await expectUnharmed("file.bin");
  expect(done).toBeGreaterThan(2);
});

test("bad input 108: a relay that keeps bodies, and gives them out of order or again much later, harms nothing", async () => {
  const numbers = new Seeded(109);
  const held: (() => void)[] = [];
  const kept: Uint8Array[] = [];
  server.relay.onBody = (body, from) => {
    kept.push(body.slice());
    held.push(() => from.pass(body));
    if (held.length > 3) held.splice(numbers.between(0, held.length - 1), 1)[0]?.();
    setTimeout(() => held.shift()?.(), 20);
    const old = kept[numbers.between(0, kept.length - 1)];
    if (old !== undefined && numbers.chance(0.2)) from.pass(old);
  };
  await expectUnharmed("file.bin");
  expect(kept.length).toBeGreaterThan(20);
});

test("bad input 108: what a relay hands to another session says nothing there, and both go on", async () => {
  const [carl, dora] = [await server.register("carl"), await server.register("dora")];
  await using atDora = await dora.receiving("--yes", "--relay-only");
  let crossed = 0;
  server.relay.onBody = (body, from) => {
    from.pass(body);
    for (const end of server.relay.ends.values()) {
      if (end.session === from.session) continue;
      crossed++;
      end.send(body);
    }
  };
  const [one, two] = [folder.at("for-ben.bin"), folder.at("for-dora.bin")];
  const hashes = [await randomFile(one, 4 * MIB), await randomFile(two, 4 * MIB)];
  const sent = await Promise.all([
    ana.run("send", one, "@ben", "--relay-only"),
    carl.run("send", two, "@dora", "--relay-only"),
  ]);
  expect(sent.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  await Promise.all([atBen.waitFor("saved"), atDora.waitFor("saved")]);
  const files = [join(ben.inbox, "for-ben.bin"), join(dora.inbox, "for-dora.bin")];
  expect(await Promise.all(files.map((file) => sha256Of(file)))).toEqual(hashes);
  expect(crossed).toBeGreaterThan(10);
  for (const { events } of [atBen, atDora]) expect(events.filter(({ event }) => event === "request")).toHaveLength(1);
});

test("bad input 108: a relay that swaps two sessions whole says nothing to anybody, and honest again they go on", async () => {
  const [carl, dora] = [await server.register("carl"), await server.register("dora")];
  await using atDora = await dora.receiving("--yes", "--relay-only");
  const files = [folder.at("for-ben.bin"), folder.at("for-dora.bin")] as const;
  const hashes = await Promise.all(files.map((file) => randomFile(file, 4 * MIB)));
  let swapped = 0;
  server.relay.onBody = (body, from) => {
    const others = [...server.relay.ends.values()].filter(({ session }) => session !== from.session);
    if (others.length < 2 || swapped > 6) return from.pass(body);
    swapped++;
    others[swapped % 2]?.send(body);
  };
  const sent = await Promise.all([
    ana.run("send", files[0], "@ben", "--relay-only"),
    carl.run("send", files[1], "@dora", "--relay-only"),
  ]);
  expect(sent.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(swapped).toBeGreaterThan(6);
  await Promise.all([atBen.waitFor("saved"), atDora.waitFor("saved")]);
  const arrived = [join(ben.inbox, "for-ben.bin"), join(dora.inbox, "for-dora.bin")];
  expect(await Promise.all(arrived.map((file) => sha256Of(file)))).toEqual(hashes);
});
