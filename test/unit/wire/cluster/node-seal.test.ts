import { expect, test } from "bun:test";
import fc from "fast-check";
import { concat, utf8 } from "../../../../src/wire/bytes.ts";
import { newNodeId } from "../../../../src/wire/cluster/node-id.ts";
import { NODE_SEAL_BYTES, NodeOpener, NodeSealer } from "../../../../src/wire/cluster/node-seal.ts";
import { AeadKey, hkdf } from "../../../../src/wire/noise/primitives.ts";
import { flipBit, lengthened, seededRandom } from "../../../support/bytes.ts";

const random = seededRandom("node seals");
const secret = new Uint8Array(32).fill(7);
const newId = (signing = 2) => newNodeId(new Uint8Array(32).fill(1), new Uint8Array(32).fill(signing), random);
const [ana, ben, carl] = [newId(), newId(), newId()] as const;
const message = utf8("from node to node");

const sealer = () => new NodeSealer(secret, ana);
const opener = () => new NodeOpener(secret, ben);

test("NodeSealer.seal() matches PROTOCOL.md §12", () => {
  const key = new AeadKey(hkdf(ana, secret, utf8("p2p between nodes"), 32));
  const from = sealer();
  for (const counter of [0, 1]) {
    const head = concat(Uint8Array.of(1), ana, new Uint8Array(7), Uint8Array.of(counter));
    const nonce = concat(new Uint8Array(11), Uint8Array.of(counter));
    expect(from.seal(ben, message)).toEqual(concat(head, key.seal(nonce, concat(head, ben), message)));
  }
});

test("NodeOpener.open() gives back what was sealed for it, and by whom", () => {
  const [from, to] = [sealer(), opener()];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const sealed = from.seal(ben, bytes);
      expect(sealed.length).toBe(bytes.length + NODE_SEAL_BYTES);
      expect(to.open(sealed)).toEqual({ from: ana, message: bytes });
    }),
  );
});

test("NodeOpener.open() does not alter what it is given, and keeps no view into it", () => {
  const sealed = sealer().seal(ben, message);
  const copy = Uint8Array.from(sealed);
  const opened = opener().open(sealed);
  expect(sealed).toEqual(copy);
  sealed.fill(0);
  expect(opened).toEqual({ from: ana, message });
});

test("bad input 187: NodeOpener.open() takes each message once, and none older than the last", () => {
  const [from, to] = [sealer(), opener()];
  const [first, second, third] = [0, 1, 2].map(() => from.seal(ben, message)) as [Uint8Array, Uint8Array, Uint8Array];
  const taken = [second, second, first, third, third, second, first].map((sealed) => to.open(sealed) !== null);
  expect(taken).toEqual([true, false, false, true, false, false, false]);
});

test("bad input 187: NodeOpener.open() counts each sender by itself", () => {
  const to = opener();
  const [fromAna, fromCarl] = [sealer(), new NodeSealer(secret, carl)];
  const replayed = fromCarl.seal(ben, message);
  for (let count = 0; count < 5; count++) expect(to.open(fromAna.seal(ben, message))).not.toBeNull();
  expect(to.open(replayed)).toEqual({ from: carl, message });
  expect(to.open(replayed)).toBeNull();
});

test("bad input 187: NodeOpener.open() takes what a node says after a new start, under its new id alone", () => {
  const to = opener();
  const before = sealer();
  const captured = [before.seal(ben, message), before.seal(ben, message)];
  for (const sealed of captured) to.open(sealed);
  const again = newId();
  expect(to.open(new NodeSealer(secret, again).seal(ben, message))).toEqual({ from: again, message });
  expect(captured.map((sealed) => to.open(sealed))).toEqual([null, null]);
});

test("bad input 187: NodeOpener.open() of a node that has just started takes no message to the node it was before", () => {
  expect(new NodeOpener(secret, newId()).open(sealer().seal(ben, message))).toBeNull();
});

test("bad input 187: NodeOpener.open() refuses what was sealed for another node, for all, or by itself", () => {
  const to = opener();
  expect(to.open(sealer().seal(carl, message))).toBeNull();
  expect(to.open(sealer().seal(new Uint8Array(12), message))).toBeNull();
  expect(to.open(new NodeSealer(secret, ben).seal(ben, message))).toBeNull();
});

test("bad inputs 187 and 188: NodeOpener.open() refuses another server's secret, and another server's node", () => {
  expect(opener().open(new NodeSealer(flipBit(secret, 0), ana).seal(ben, message))).toBeNull();
  expect(opener().open(new NodeSealer(secret, newId(3)).seal(ben, message))).toBeNull();
});

test("bad input 187: NodeOpener.open() refuses a message with any one bit turned, and takes it whole thereafter", () => {
  const to = opener();
  const sealed = sealer().seal(ben, message);
  for (let bit = 0; bit < sealed.length * 8; bit++) expect([bit, to.open(flipBit(sealed, bit))]).toEqual([bit, null]);
  expect(to.open(sealed)).not.toBeNull();
});

test("bad input 187: NodeOpener.open() refuses a message cut anywhere, or with a byte more", () => {
  const to = opener();
  const sealed = sealer().seal(ben, message);
  for (let length = 0; length < sealed.length; length++) expect(to.open(sealed.subarray(0, length))).toBeNull();
  expect(to.open(lengthened(sealed))).toBeNull();
});

test("bad input 187: NodeOpener.open() refuses other versions and a counter at its end, and is moved by neither", () => {
  const to = opener();
  const from = sealer();
  const sealed = from.seal(ben, message);
  for (const version of [0, 2, 255]) expect(to.open(sealed.with(0, version))).toBeNull();
  const forged = new Uint8Array(sealed);
  forged.fill(255, 13, 21);
  expect(to.open(forged)).toBeNull();
  expect(to.open(sealed)).not.toBeNull();
  expect(to.open(from.seal(ben, message))).not.toBeNull();
});

test("bad input 187: NodeOpener.open() refuses noise of any length, under every head", () => {
  const to = opener();
  const noise = fc.uint8Array({ maxLength: 200 });
  const head = fc.constantFrom(new Uint8Array(), Uint8Array.of(1), concat(Uint8Array.of(1), ana));
  fc.assert(fc.property(head, noise, (start, rest) => expect(to.open(concat(start, rest))).toBeNull()));
  expect(to.open(sealer().seal(ben, message))).not.toBeNull();
});
