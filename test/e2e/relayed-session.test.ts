import { afterEach, beforeEach, expect, test } from "bun:test";
import type { ByteReader, PeerSession } from "../../src/modes/peer/peer-session.ts";
import { CHANNEL_BUDGET_BYTES } from "../../src/wire/limits.ts";
import { Line } from "../support/line.ts";
import { type Neighbour, Street } from "../support/neighbours.ts";

// Ana and Ben show nobody an address, so everything goes over the server; Ana's way there can be harmed.
let street: Street;
let line: Line;
let ana: Neighbour;
let ben: Neighbour;
let a: PeerSession;
let b: PeerSession;

beforeEach(async () => {
  street = await Street.open();
  line = await Line.to(street.stage.port);
  ana = await street.moveIn("ana", { relayOnly: true, port: line.port });
  ben = await street.moveIn("ben", { relayOnly: true });
  await ben.listen();
  [a, b] = await ana.chatWith(ben);
});

afterEach(async () => {
  await street[Symbol.asyncDispose]();
  await line[Symbol.asyncDispose]();
});

/** More than fits inside the channels, there and back. */
async function fillChannels(): Promise<void> {
  await carry(a, b);
  await carry(b, a);
}

async function carry(from: PeerSession, to: PeerSession): Promise<void> {
  const bytes = new Uint8Array(2 * CHANNEL_BUDGET_BYTES);
  const opened = Promise.withResolvers<ByteReader>();
  to.onBulk(opened.resolve);
  const stream = from.openBulk();
  const heard = opened.promise.then(lengthOf);
  await stream.write(bytes);
  await stream.finish();
  expect(await heard).toBe(bytes.length);
}

async function lengthOf(stream: ByteReader): Promise<number> {
  let bytes = 0;
  for (let piece = await stream.read(); piece !== null; piece = await stream.read()) {
    bytes += piece.length;
    stream.consumed(piece.length);
  }
  return bytes;
}

test("a session that is relayed survives that one end's line breaks", async () => {
  line.cut();
  await fillChannels();
}, 20_000);

test("and again when it has relay legs", async () => {
  await fillChannels();
  line.cut();
  await fillChannels();
}, 20_000);

test("and that the network goes silent, once this machine is seen to be on another one", async () => {
  await fillChannels();
  line.freeze();
  ana.link.networkChanged();
  await fillChannels();
}, 20_000);
