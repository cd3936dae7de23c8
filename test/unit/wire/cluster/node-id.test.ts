import { expect, test } from "bun:test";
import { isSameServer, newNodeId, NODE_ID_BYTES } from "../../../../src/wire/cluster/node-id.ts";
import { concat, utf8 } from "../../../../src/wire/bytes.ts";
import { sha256 } from "../../../../src/wire/noise/primitives.ts";
import { flipBit, seededRandom } from "../../../support/bytes.ts";

const [serverKey, signingKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
const random = seededRandom("node ids");

test("newNodeId() matches PROTOCOL.md §12: 4 bytes of the server, 8 of the start", () => {
  const id = newNodeId(serverKey, signingKey, (bytes) => new Uint8Array(bytes).fill(9));
  const ofServer = sha256(concat(utf8("p2p node 1"), serverKey, signingKey)).subarray(0, 4);
  expect(id).toEqual(concat(ofServer, new Uint8Array(8).fill(9)));
});

test("newNodeId() gives two starts of one server ids that differ and belong together", () => {
  const [one, other] = [newNodeId(serverKey, signingKey, random), newNodeId(serverKey, signingKey, random)] as const;
  expect(one).not.toEqual(other);
  expect([isSameServer(one, other), isSameServer(other, one), isSameServer(one, one)]).toEqual([true, true, true]);
});

test.each([
  ["another server key", flipBit(serverKey, 255), signingKey],
  ["another signing key", serverKey, flipBit(signingKey, 0)],
  ["the keys the other way round", signingKey, serverKey],
])("bad input 188: isSameServer() tells a node with %s", (_, key, signing) => {
  expect(isSameServer(newNodeId(serverKey, signingKey, random), newNodeId(key, signing, random))).toBe(false);
});

test("bad input 188: isSameServer() refuses what is no id of ours, however it begins", () => {
  const own = newNodeId(serverKey, signingKey, random);
  for (const bytes of [new Uint8Array(), own.subarray(0, NODE_ID_BYTES - 1), concat(own, Uint8Array.of(0))])
    expect(isSameServer(own, bytes)).toBe(false);
});
