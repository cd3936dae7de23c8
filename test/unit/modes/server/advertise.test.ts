import { expect, test } from "bun:test";
import { advertisedPlace, isPrivateHost, ownNode } from "../../../../src/modes/server/advertise.ts";
import { parseAdvertisedPlace } from "../../../../src/modes/cli/addresses.ts";
import { canonicalIp, scopeOf } from "../../../../src/wire/address.ts";

const everywhere = { host: null, port: 7_420 };

const tls = { cert: "chain.pem", key: "key.pem" };
const placeOf = (text: string, files: typeof tls | null = null) =>
  advertisedPlace({ advertise: parseAdvertisedPlace(text), listen: [everywhere], tls: files }, [9_000]);

test("what the operator says is where the join line points, without a port at the one listened on", async () => {
  const nodes = [{ host: "p2p.example.org", port: 9_000 }];
  expect(await placeOf("P2P.example.org")).toEqual({ secure: false, nodes });
  expect(await placeOf("p2p.example.org", tls)).toEqual({ secure: true, nodes });
  expect(await placeOf("203.0.113.7:443")).toEqual({ secure: false, nodes: [{ host: "203.0.113.7", port: 443 }] });
});

test("a scheme says how people come, whatever the server itself speaks, and its port where none is named", async () => {
  const nodes = [{ host: "p2p.example.org", port: 443 }];
  for (const text of ["p2ps://p2p.example.org", "P2PS://p2p.example.org/", "p2ps://p2p.example.org:443"])
    expect(await placeOf(text)).toEqual({ secure: true, nodes });
  const plain = [{ host: "p2p.example.org", port: 7_420 }];
  expect(await placeOf("p2p://p2p.example.org", tls)).toEqual({ secure: false, nodes: plain });
});

test("several addresses stand in join lines in their order", async () => {
  expect(await placeOf("a.example.org,[2001:db8::1]:7430")).toEqual({
    secure: false,
    nodes: [
      { host: "a.example.org", port: 9_000 },
      { host: "2001:db8::1", port: 7_430 },
    ],
  });
});

test.each([
  ["https://p2p.example.org", "the scheme is not p2p:// or p2ps://"],
  ["p2p.example.org/path", "something follows the address"],
  ["p2ps://p2p.example.org/#KEY", "something follows the address"],
  ["p2ps://", "the host is neither a DNS name nor an address"],
  ["a.example.org,", "the host is neither a DNS name nor an address"],
  ["2001:db8::1", "an IPv6 address stands in brackets"],
  [Array.from({ length: 17 }, (_, at) => `n${at}.example.org`).join(), "there are more than 16 addresses"],
])("advertise %p is refused", (text, message) => {
  expect(() => parseAdvertisedPlace(text)).toThrow(message);
});

test("a node's own place is what it says of itself, else the address listened on, never that of all nodes", async () => {
  const listen = [{ host: "192.0.2.1", port: 0 }];
  const said = { host: "b.example.org", port: null };
  expect(await ownNode({ advertiseNode: said, listen }, 9_000)).toEqual({ host: "b.example.org", port: 9_000 });
  expect(await ownNode({ advertiseNode: null, listen }, 9_000)).toEqual({ host: "192.0.2.1", port: 9_000 });
});

test("else it is the one address listened on", async () => {
  const listen = [{ host: "192.0.2.1", port: 0 }];
  expect(await advertisedPlace({ advertise: null, listen, tls: null }, [9_000])).toEqual({
    secure: false,
    nodes: [{ host: "192.0.2.1", port: 9_000 }],
  });
});

test.each([null, "0.0.0.0", "::"])(
  "listening on %p it is an address of this machine that can be sent from",
  async (host) => {
    const { nodes } = await advertisedPlace({ advertise: null, listen: [{ host, port: 0 }], tls: null }, [9_000]);
    const [ip = ""] = nodes.map((node) => node.host);
    expect(canonicalIp(ip)).toBe(ip);
    expect(scopeOf(ip)).not.toBe("unspecified");
  },
);

test("every port listened on stands in join lines, the first ones first", async () => {
  const listen = [everywhere, { host: null, port: 443 }];
  const ports = [7_420, 443];
  const said = await advertisedPlace(
    { advertise: parseAdvertisedPlace("a.example,b.example:9"), listen, tls: null },
    ports,
  );
  const places = said.nodes.map(({ host, port }) => `${host}:${port}`);
  expect(places).toEqual(["a.example:7420", "b.example:9", "a.example:443"]);
  const scheme = await advertisedPlace(
    { advertise: parseAdvertisedPlace("p2ps://a.example"), listen, tls: null },
    ports,
  );
  expect(scheme.nodes).toEqual([{ host: "a.example", port: 443 }]);
  const own = await advertisedPlace({ advertise: null, listen, tls: null }, ports);
  expect(own.nodes.map(({ port }) => port)).toEqual(ports);
  expect(new Set(own.nodes.map(({ host }) => host)).size).toBe(1);
});

test("what listens on loopback stands in join lines only where nothing else is listened on", async () => {
  const loopback = { host: "127.0.0.1", port: 9_000 };
  const place = async (...listen: (typeof loopback)[]) => {
    const ports = listen.map(({ port }) => port);
    const { nodes } = await advertisedPlace({ advertise: null, listen, tls: null }, ports);
    return nodes.map(({ host, port }) => `${host}:${port}`);
  };
  expect(await place({ host: "192.0.2.1", port: 7_420 }, loopback)).toEqual(["192.0.2.1:7420"]);
  expect(await place(loopback, { host: "::1", port: 9_001 })).toEqual(["127.0.0.1:9000", "::1:9001"]);
});

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
