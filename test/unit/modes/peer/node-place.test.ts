import { expect, test } from "bun:test";
import { placeOfNode } from "../../../../src/modes/peer/node-place.ts";

const PUBLIC = { host: "1.1.1.1", port: 7_420 };
const NAMED = { host: "p2p.example.org", port: 7_420 };
const NEAR = { host: "192.168.1.10", port: 7_420 };
const HERE = { host: "127.0.0.1", port: 7_420 };

test("placeOfNode() of a node that says nothing is the one in use", () => {
  for (const inUse of [PUBLIC, NAMED, NEAR, HERE]) expect(placeOfNode("", inUse)).toEqual(inUse);
});

test.each([
  ["8.8.8.8:9000", PUBLIC, { host: "8.8.8.8", port: 9_000 }],
  ["8.8.8.8:9000", NAMED, { host: "8.8.8.8", port: 9_000 }],
  ["8.8.8.8:9000", HERE, { host: "8.8.8.8", port: 9_000 }],
  ["[2606:4700::1111]:9000", PUBLIC, { host: "2606:4700::1111", port: 9_000 }],
  ["b.p2p.example.org:9000", NAMED, { host: "b.p2p.example.org", port: 9_000 }],
  ["b.p2p.example.org:9000", PUBLIC, { host: "b.p2p.example.org", port: 9_000 }],
  ["10.0.0.7:9000", NEAR, { host: "10.0.0.7", port: 9_000 }],
  ["127.0.0.1:9000", HERE, { host: "127.0.0.1", port: 9_000 }],
  ["[::1]:9000", HERE, { host: "::1", port: 9_000 }],
  ["127.0.0.1:9000", { host: "localhost", port: 7_420 }, { host: "127.0.0.1", port: 9_000 }],
  ["localhost:9000", HERE, { host: "localhost", port: 9_000 }],
] as const)("placeOfNode(%s) is gone to from %o", (said, inUse, expected) => {
  expect(placeOfNode(said, inUse)).toEqual(expected);
});

test("placeOfNode() without a port is at the one in use", () => {
  expect(placeOfNode("8.8.8.8", { ...PUBLIC, port: 443 })).toEqual({ host: "8.8.8.8", port: 443 });
});

test.each([
  "127.0.0.1:22",
  "[::1]:22",
  "[::ffff:127.0.0.1]:22",
  "localhost:22",
  "LOCALHOST:22",
  "a.localhost:22",
  "0.0.0.0:22",
  "[::]:22",
  "10.0.0.1:80",
  "192.168.1.1:80",
  "[fd00::1]:80",
  "169.254.169.254:80",
  "[fe80::1]:80",
  "224.0.0.1:80",
  "255.255.255.255:80",
  "100.64.0.1:80",
])("bad input 106: a server in public does not send its people to %s", (said) => {
  for (const inUse of [PUBLIC, NAMED]) expect(placeOfNode(said, inUse)).toEqual(inUse);
});

test.each(["127.0.0.1:22", "localhost:22", "169.254.169.254:80"])(
  "bad input 106: a server in the neighbourhood does not send its people to %s",
  (said) => expect(placeOfNode(said, NEAR)).toEqual(NEAR),
);

test.each([
  " ",
  ":",
  ":7420",
  "8.8.8.8:0",
  "8.8.8.8:65536",
  "8.8.8.8:x",
  "8.8.8.8:7420/path",
  "ana@8.8.8.8:7420",
  "2130706433",
  "0x7f.1",
  "127.1",
  "a b",
  "::1:7420",
  "[fe80::1%eth0]:1",
  "\u0000",
  "x".repeat(10_000),
  "8.8.8.8:7420,9.9.9.9:7420",
])("placeOfNode() of %p, which is no place, is the one in use", (said) => {
  expect(placeOfNode(said, PUBLIC)).toEqual(PUBLIC);
});
