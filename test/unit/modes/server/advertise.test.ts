import { expect, test } from "bun:test";
import { advertisedNode, isPrivateHost } from "../../../../src/modes/server/advertise.ts";
import { canonicalIp, scopeOf } from "../../../../src/wire/address.ts";

const everywhere = { host: null, port: 7_420 };

test("what the operator says is where the join line points", async () => {
  const advertise = { host: "p2p.example.org", port: null };
  expect(await advertisedNode({ advertise, listen: [everywhere] }, 9_000)).toEqual({
    host: "p2p.example.org",
    port: 9_000,
  });
  const withPort = { host: "203.0.113.7", port: 443 };
  expect(await advertisedNode({ advertise: withPort, listen: [everywhere] }, 9_000)).toEqual(withPort);
});

test("else it is the one address listened on", async () => {
  const listen = [{ host: "192.0.2.1", port: 0 }];
  expect(await advertisedNode({ advertise: null, listen }, 9_000)).toEqual({ host: "192.0.2.1", port: 9_000 });
});

test.each([null, "0.0.0.0", "::"])(
  "listening on %p it is an address of this machine that can be sent from",
  async (host) => {
    const node = await advertisedNode({ advertise: null, listen: [{ host, port: 0 }] }, 9_000);
    expect(canonicalIp(node.host)).toBe(node.host);
    expect(scopeOf(node.host)).not.toBe("unspecified");
  },
);

test("isPrivateHost() tells what is not reached from outside", () => {
  const hosts = [
    "192.168.1.2",
    "10.0.0.1",
    "100.64.0.1",
    "fe80::1",
    "fd00::1",
    "203.0.113.7",
    "2a00::1",
    "127.0.0.1",
    "a.example",
  ];
  expect(hosts.map(isPrivateHost)).toEqual([true, true, true, true, true, false, false, false, false]);
});
