import { afterEach, beforeEach, expect, test } from "bun:test";
import { parseIp } from "../../src/wire/address.ts";
import type { P2p } from "../support/binary.ts";
import type { Person } from "../support/community.ts";
import { EvilServer } from "../support/evil-server.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { udpSocketsOf } from "../support/raw-proc.ts";

// A server says where it has seen people, and may say anything. It sees no UDP at all here: every address is its invention.
const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
let server: EvilServer;
let ana: Person;
let ben: Person;
let atBen: P2p;

beforeEach(async () => {
  server = new EvilServer();
  [ana, ben] = [await server.register("ana"), await server.register("ben")];
  atBen = await ben.receiving();
});

afterEach(async () => {
  await atBen[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** A program that has no part in it, and what it is sent. */
class Bystander implements Disposable {
  datagrams = 0;
  bytes = 0;
  longest = 0;
  readonly #socket: Bun.udp.Socket<"buffer">;

  private constructor(open: (bystander: Bystander) => Bun.udp.Socket<"buffer">) {
    this.#socket = open(this);
  }

  static async at(): Promise<Bystander> {
    const waiting: { bystander: Bystander | null } = { bystander: null };
    const data = (_: unknown, datagram: Uint8Array): void => waiting.bystander?.hear(datagram);
    const socket = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data, error: () => undefined } });
    waiting.bystander = new Bystander(() => socket);
    return waiting.bystander;
  }

  get place(): { readonly address: Uint8Array; readonly port: number } {
    return { address: LOOPBACK, port: this.#socket.port };
  }

  hear({ length }: Uint8Array): void {
    this.datagrams++;
    this.bytes += length;
    this.longest = Math.max(this.longest, length);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

test("bad inputs 93 and 94: a flood of observed addresses sends a few small checks to twelve of them, and no more", async () => {
  using all = new DisposableStack();
  const bystanders: Bystander[] = [];
  for (let count = 0; count < 200; count++) bystanders.push(all.use(await Bystander.at()));
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor("connected");
  const session = server.told("ring").at(-1)?.session ?? new Uint8Array();
  const places = bystanders.map(({ place }) => place);
  for (let round = 0; round < 100; round++) {
    // Eight at a time, as a message may name; another eight each time, and all of them several times.
    const addresses = Array.from({ length: 8 }, (_, at) => places[(round * 8 + at) % places.length] ?? places[0]);
    for (const visitor of server.of("ana"))
      visitor.say({ kind: "observed", session, addresses: addresses.flatMap((each) => each ?? []) });
    await Bun.sleep(50);
  }
  chat.endInput("still here\n");
  expect(await chat.exited).toBe(0);
  expect(await atBen.waitFor("message")).toMatchObject({ text: "still here" });
  const reached = bystanders.filter(({ datagrams }) => datagrams > 0);
  expect(reached.length).toBeGreaterThan(0);
  expect(reached.length).toBeLessThanOrEqual(12);
  for (const { datagrams, longest } of reached) {
    expect(datagrams).toBeLessThanOrEqual(36);
    expect(longest).toBeLessThanOrEqual(64);
  }
  expect(reached.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(16_384);
});

test("bad input 94: two people who are told of a third one's address each find nobody there, and the third hears nothing of it", async () => {
  const carl = await server.register("carl");
  await using atCarl = await carl.receiving();
  const ports = udpSocketsOf(atCarl.pid).map(({ port }) => port);
  const addresses = ports.map((port) => ({ address: LOOPBACK, port }));
  server.twist = (message) => (message.kind === "observed" ? [{ ...message, addresses }] : [message]);
  await using chat = ana.startWith({ stdin: "open" }, "chat", "ben");
  await chat.waitFor("connected");
  await Bun.sleep(1_500);
  chat.endInput("for ben\n");
  expect(await chat.exited).toBe(0);
  expect(await atBen.waitFor("message")).toMatchObject({ text: "for ben" });
  expect(atCarl.events.map(({ event }) => event)).toEqual(["waiting"]);
  const remotes = [...chat.events, ...atBen.events].flatMap((event) => (event.event === "path" ? [event.remote] : []));
  for (const port of ports) for (const remote of remotes) expect(remote).not.toEndWith(`:${port}`);
});

test("bad input 92: nobody is sent anything at what is no host's address, however the server says so", async () => {
  using folder = temporaryFolder();
  await using carl = await RawPeer.register({ folder: folder.path, joinLine: server.joinLine }, "carl");
  const nowhere = [
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "169.254.169.254",
    "240.0.0.1",
    "::",
    "ff02::1",
    "fe80::1",
  ];
  // With one that may be asked, to see that it is asked.
  using bystander = await Bystander.at();
  const addresses = nowhere.map((ip) => ({ address: parseIp(ip) ?? LOOPBACK, port: 40_000 }));
  server.twist = (message) =>
    message.kind === "observed" ? [{ ...message, addresses: [bystander.place, ...addresses.slice(0, 7)] }] : [message];
  const session = await carl.node.ask("ben", { purpose: "chat", waitMs: 20_000 });
  for (const visitor of server.of("carl")) {
    const id = server.told("ring").at(-1)?.session ?? new Uint8Array();
    visitor.say({ kind: "observed", session: id, addresses: [bystander.place, ...addresses.slice(1)] });
  }
  while (bystander.datagrams < 10) await session.ping();
  const reached = new Set(carl.sent.map(({ to }) => to.remote.ip));
  expect(nowhere.filter((ip) => reached.has(ip))).toEqual([]);
  expect(carl.faults).toEqual([]);
  await session.close();
});
