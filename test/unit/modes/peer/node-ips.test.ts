import { expect, test } from "bun:test";
import { ipsOfNode } from "../../../../src/modes/peer/node-ips.ts";

const PUBLIC = { host: "1.1.1.1", port: 7_420 };
const NAMED = { host: "p2p.example.org", port: 7_420 };
const NEAR = { host: "192.168.1.10", port: 7_420 };
const HOME = { host: "server.home.arpa", port: 7_420 };
const HERE = { host: "127.0.0.1", port: 7_420 };

const names: Readonly<Record<string, readonly string[]>> = {
  "p2p.example.org": ["1.1.1.1", "1.1.1.2", "2606:4700::1111"],
  "server.home.arpa": ["192.168.1.10"],
  "b.example.org": ["8.8.8.8", "2001:4860:4860::8888"],
  "router.example.org": ["192.168.1.1"],
  "mixed.example.org": ["192.168.1.1", "fd00::1", "8.8.8.8"],
  "here.example.org": ["127.0.0.1", "::1"],
  "cloud.example.org": ["169.254.169.254"],
};

async function resolve(name: string): Promise<readonly string[]> {
  const ips = names[name];
  if (ips === undefined) throw new Error(`${name} is unknown`);
  return ips;
}

test.each([
  ["", PUBLIC, ["1.1.1.1"]],
  ["", NAMED, ["1.1.1.1", "2606:4700::1111"]],
  ["", HOME, ["192.168.1.10"]],
  ["8.8.8.8:9000", NAMED, ["8.8.8.8"]],
  ["b.example.org:9000", PUBLIC, ["8.8.8.8", "2001:4860:4860::8888"]],
  ["b.example.org:9000", HERE, ["8.8.8.8", "2001:4860:4860::8888"]],
  ["mixed.example.org:9000", PUBLIC, ["8.8.8.8"]],
  ["router.example.org:9000", HOME, ["192.168.1.1"]],
  ["here.example.org:9000", HERE, ["127.0.0.1", "::1"]],
  ["8.8.8.8:9000", { host: "unknown.example.org", port: 7_420 }, ["8.8.8.8"]],
] as const)("ipsOfNode(%j) is asked from %o", async (said, inUse, expected) => {
  expect(await ipsOfNode(said, inUse, resolve)).toEqual(expected);
});

test.each(["router.example.org:53", "here.example.org:22", "cloud.example.org:80", "192.168.1.1:53"])(
  "bad input 106: a server in public does not send its people's datagrams to %s",
  async (said) => {
    expect(await ipsOfNode(said, PUBLIC, resolve)).toEqual(["1.1.1.1"]);
    expect(await ipsOfNode(said, NAMED, resolve)).toEqual(["1.1.1.1", "2606:4700::1111"]);
  },
);

test("bad input 106: a server in the neighbourhood does not send its people's datagrams into this machine by a name", async () => {
  for (const inUse of [NEAR, HOME])
    expect(await ipsOfNode("here.example.org:22", inUse, resolve)).toEqual(["192.168.1.10"]);
});

test("ipsOfNode() rejects where a name has no address", async () => {
  const nowhere = { host: "unknown.example.org", port: 1 };
  expect(await ipsOfNode("", nowhere, resolve).catch(String)).toContain("is unknown");
  expect(await ipsOfNode("unknown.example.org", PUBLIC, resolve).catch(String)).toContain("is unknown");
  expect(await ipsOfNode("router.example.org", nowhere, resolve)).toEqual([]);
});
