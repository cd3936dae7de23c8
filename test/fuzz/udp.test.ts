import { expect, test } from "bun:test";
import { parseJoinLine } from "../../src/modes/cli/join-line.ts";
import type { PeerSession } from "../../src/modes/peer/peer-session.ts";
import { encodeRequest } from "../../src/wire/messages/discovery.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { deriveTicketKeys, withMac } from "../../src/wire/traversal/ticket-keys.ts";
import { TestPeer } from "../e2e/server-stage.ts";
import { Seeded } from "../sim/seeded.ts";
import { Community } from "../support/community.ts";
import { Gun, hostileDatagrams } from "../support/raw-datagrams.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { type Footprint, footprintOf, settledFootprint, udpSocketsOf } from "../support/raw-proc.ts";

/** For each process, over all of its sockets. */
const DATAGRAMS = 100_000;
const GROWTH_BYTES = 25 * 1_024 * 1_024;
const seed = Number(process.env["FUZZ_SEED"] ?? 7_420);

/** The runtime gives memory back when it likes: 100 000 datagrams that stayed would be more than 50 MB. */
async function expectSettled(pid: number, before: Footprint): Promise<void> {
  const after = await settledFootprint(pid, before);
  expect(after.residentBytes - before.residentBytes).toBeLessThan(GROWTH_BYTES);
}

test.skipIf(process.platform !== "linux")(
  `bad inputs 1, 2, 3, 9, 10, 17 and 20: a server answers none of 100 000 hostile datagrams and goes on (seed ${seed})`,
  async () => {
    await using town = await Community.found();
    const ana = await town.register("ana");
    const ben = await town.register("ben");
    await using receiver = await ben.receiving();
    const { peer, ticket } = await withTicket(town);
    using gun = await Gun.load("127.0.0.1");
    const targets = ticket.ports.map((port) => ({ ip: "127.0.0.1", port }));
    const request = (sequence: number) =>
      withMac(
        deriveTicketKeys(ticket.key).request,
        encodeRequest({ ticketId: ticket.ticket, txid: new Uint8Array(12).fill(sequence), sequence }),
      );
    const [first] = targets;
    if (first === undefined) throw new Error("a server without UDP");
    const genuine = [request(1), await gun.ask(request(1), first)];
    expect(gun.heard.map(({ length }) => length)).toEqual([72]);

    const before = footprintOf(town.server.pid);
    const hostile = hostileDatagrams(new Seeded(seed), genuine);
    for (const to of targets) expect(await gun.fire(hostile, DATAGRAMS / targets.length, to)).toBe(0);

    await gun.ask(request(2), first);
    expect(gun.heard).toHaveLength(2);
    await expectSettled(town.server.pid, before);
    expect((await ana.run("msg", "ben", "still there?")).exitCode).toBe(0);
    expect(await receiver.waitFor("message")).toMatchObject({ text: "still there?" });
    expect((await ana.run("ping", "ben", "-c", "1")).exitCode).toBe(0);
    expect(town.server.stderr.split("\n").filter((line) => /"level":"(warn|error)"/.test(line))).toEqual([]);
    peer.close();
  },
  60_000,
);

test.skipIf(process.platform !== "linux")(
  `bad inputs 17, 116, 118 and 120: a peer with a live session answers none of 100 000 hostile datagrams, and the session goes on (seed ${seed})`,
  async () => {
    await using town = await Community.found();
    const ana = await town.register("ana");
    const ben = await town.register("ben");
    await using receiver = await ben.receiving();
    await using carl = await RawPeer.register(town, "carl");
    const session = await carl.node.ask("ben", { purpose: "chat", waitMs: 20_000 });
    const { remote } = await directPath(session);
    for (let count = 0; count < 20; count++) await session.ping();
    const genuine = carl.sentTo(Number(remote.split(":").at(-1))).slice(-64);
    expect(genuine.length).toBeGreaterThan(10);

    const sockets = udpSocketsOf(receiver.pid);
    expect(sockets.length).toBeGreaterThan(0);
    const before = footprintOf(receiver.pid);
    const eventsBefore = receiver.events.length;
    const hostile = hostileDatagrams(new Seeded(seed), genuine);
    for (const { family, port } of sockets) {
      const ip = family === 4 ? "127.0.0.1" : "::1";
      using gun = await Gun.load(ip);
      expect(await gun.fire(hostile, DATAGRAMS / sockets.length, { ip, port })).toBe(0);
      await gun.fire(genuine[Symbol.iterator](), genuine.length, { ip, port }); // what was heard once is no news
      expect(gun.heard).toEqual([]);
    }

    expect(await session.ping()).toBeGreaterThan(0);
    expect(session.path.kind).toBe("lan");
    // It may have found a faster path meanwhile; that is all there is to tell.
    expect(receiver.events.slice(eventsBefore).filter(({ event }) => event !== "path")).toEqual([]);
    await expectSettled(receiver.pid, before);
    expect((await ana.run("msg", "ben", "still there?")).exitCode).toBe(0);
    expect(await receiver.waitFor("message")).toMatchObject({ text: "still there?" });
    expect(carl.faults).toEqual([]);
  },
  60_000,
);

async function withTicket({ joinLine, http }: Community) {
  const { key, invite } = parseJoinLine(joinLine);
  const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
  const peer = new TestPeer(`ws://${http}/v1/channel`, key ?? new Uint8Array(), KeyPair.generate(random));
  await peer.opened;
  await peer.register("gunner", invite);
  const ticket = await peer.request({ kind: "getTicket" });
  if (ticket.kind !== "ticket") throw new Error(`no ticket but ${ticket.kind}`);
  return { peer, ticket };
}

function directPath(session: PeerSession): Promise<{ remote: string }> {
  return new Promise((resolve) => {
    const look = () => session.path.kind === "lan" && resolve(session.path);
    session.onPath(look);
    look();
  });
}
