import { afterEach, expect, test } from "bun:test";
import { parseProxy } from "../../src/modes/cli/addresses.ts";
import type { PathInfo, PeerSession } from "../../src/modes/peer/peer-session.ts";
import { ServerBusy } from "../../src/modes/peer/channel-socket.ts";
import { ServerLink } from "../../src/modes/peer/server-link.ts";
import { systemRandom } from "../../src/modes/server/system-random.ts";
import { CHANNEL_SUBPROTOCOL } from "../../src/wire/limits.ts";
import { KeyPair } from "../../src/wire/noise/primitives.ts";
import { Neighbour } from "../support/neighbours.ts";
import { Stage } from "./server-stage.ts";

let stage: Stage | null = null;
afterEach(async () => {
  await stage?.[Symbol.asyncDispose]();
  stage = null;
});

/** Two people whose session goes over the server, and stays there. */
async function relayed(all: AsyncDisposableStack, on: Stage, from: string, to: string) {
  const ana = all.use(await Neighbour.moveIn(on, from, { relayOnly: true }));
  const ben = all.use(await Neighbour.moveIn(on, to, { relayOnly: true }));
  await ben.listen();
  return ana.chatWith(ben);
}

/** @returns milliseconds until the other end has read all of it */
async function transfer([a, b]: readonly [PeerSession, PeerSession], bytes: number): Promise<number> {
  const arrived = Promise.withResolvers<void>();
  let left = bytes;
  b.onBulk((stream) => void drain(stream));
  const drain = async (stream: Parameters<Parameters<PeerSession["onBulk"]>[0]>[0]): Promise<void> => {
    for (let piece = await stream.read(); piece !== null; piece = await stream.read()) {
      stream.consumed(piece.length);
      left -= piece.length;
    }
    arrived.resolve();
  };
  const start = performance.now();
  const stream = a.openBulk();
  await stream.write(new Uint8Array(bytes));
  await stream.finish();
  await arrived.promise;
  expect(left).toBe(0);
  return performance.now() - start;
}

test("bad input 104: who relays more than the rate is told once, in plain words, and all of it arrives", async () => {
  stage = await Stage.open({ limits: { "limit-relay-rate": 0.3, "limit-relay-burst": 0.05 } });
  await using all = new AsyncDisposableStack();
  const pair = await relayed(all, stage, "ana", "ben");
  const paths: PathInfo[] = [];
  pair[0].onPath((path) => void paths.push(path));
  pair[1].onPath((path) => void paths.push(path));
  // 0.05 MB at once and what goes inside the channels, then no more than the rate.
  expect(await transfer(pair, 600_000)).toBeGreaterThan(1_000);
  expect(paths.map(({ why }) => why).filter((why) => why.includes("limit"))).toEqual([
    "the server limits what you relay: 300 kB/s; a direct path has no limit",
  ]);
  expect(pair[0].path).toMatchObject({ kind: "relay-ws", relayBytesPerSecond: 300_000 });
});

test("bad input 104: while one account is slowed down another one is not", async () => {
  stage = await Stage.open({ limits: { "limit-relay-rate": 0.3, "limit-relay-burst": 0.4 } });
  await using all = new AsyncDisposableStack();
  const [slow, quick] = [await relayed(all, stage, "ana", "ben"), await relayed(all, stage, "cem", "dia")];
  const slowed = transfer(slow, 900_000);
  await transfer(quick, 200_000);
  expect(quick[0].path.relayBytesPerSecond).toBeUndefined();
  await slowed;
  expect(slow[0].path.relayBytesPerSecond).toBe(300_000);
});

/** How the server takes so many connections that say where they come from: the code it closes with and why, or "" for those it keeps. */
async function knock(on: Stage, forwardedFor: readonly string[]): Promise<readonly string[]> {
  const sockets = forwardedFor.map(
    (address) =>
      new WebSocket(on.url("/v1/relay"), { protocols: [CHANNEL_SUBPROTOCOL], headers: { "X-Forwarded-For": address } }),
  );
  const outcomes = sockets.map(
    (socket) =>
      new Promise<string>((resolve) => {
        socket.addEventListener("message", () => resolve(""));
        socket.addEventListener("close", ({ code, reason }) => resolve(`${code} ${reason}`));
      }),
  );
  const all = await Promise.all(outcomes);
  for (const socket of sockets) socket.close();
  return all;
}

const limits = { "limit-newcomers-per-address": 1 };
const spread = Array.from({ length: 14 }, (_, at) => `192.0.2.${at}`);
const refused = (outcomes: readonly string[]) => outcomes.filter((outcome) => outcome === "1013 limited 2").length;

test("bad input 33: without a named proxy all count for the address they come from, ten times as many on loopback", async () => {
  stage = await Stage.open({ limits });
  expect(refused(await knock(stage, spread))).toBe(4);
  expect(stage.log.filter((line) => line.includes("proxy-not-trusted")).length).toBe(1);
});

test("bad input 34: behind a named proxy each counts for its own address", async () => {
  stage = await Stage.open({ limits, trustedProxies: [parseProxy("127.0.0.0/8")] });
  expect(refused(await knock(stage, spread))).toBe(0);
  expect(refused(await knock(stage, ["192.0.2.77", "198.51.100.1, 192.0.2.77", "192.0.2.77, 127.0.0.9"]))).toBe(2);
});

test("who comes too early hears when to come again, and the link says it", async () => {
  stage = await Stage.open({ limits: { "limit-handshakes": 1 } });
  const server = { secure: false, nodes: [{ host: "127.0.0.1", port: stage.port }], key: stage.serverKey };
  const links = [0, 1].map(() => new ServerLink(server, KeyPair.generate(systemRandom)));
  const [first, second] = await Promise.allSettled(links.map((link) => link.connect()));
  for (const link of links) link.close();
  expect(first?.status).toBe("fulfilled");
  const reason: unknown = second?.status === "rejected" ? second.reason : null;
  expect(reason).toBeInstanceOf(ServerBusy);
  expect(reason).toMatchObject({ code: "busy", side: "server", hint: "try again in 1 s", retryMs: 1_000 });
});
