import { expect, test } from "bun:test";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import type { CandidateType } from "../../../../src/wire/traversal/candidate.ts";
import { permitFor, type OwnNetwork } from "../../../../src/wire/traversal/permit.ts";

const own: OwnNetwork = {
  subnets: [
    { ip: "192.168.1.5", prefix: 24 },
    { ip: "2001:db8:1::5", prefix: 64 },
  ],
  addresses: [
    { ip: "192.168.1.5", port: 40_000 },
    { ip: "28.1.0.7", port: 40_000 },
  ],
  servers: [
    { ip: "28.0.0.1", port: 7_420 },
    { ip: "28.0.0.1", port: 7_421 },
  ],
};
const attested: readonly UdpAddress[] = [
  { ip: "28.2.0.7", port: 50_000 },
  { ip: "2001:db8:2::7", port: 50_000 },
];

function permit(ip: string, type: CandidateType = "host", port = 50_000, given = attested, network = own) {
  return permitFor({ type, address: { ip, port } }, network, given);
}

test("36 checks go to an attested IPv4 address, an attested IPv6 network and the own link, on any port", () => {
  for (const [ip, port] of [
    ["28.2.0.7", 50_000],
    ["28.2.0.7", 51_111],
    ["2001:db8:2::7", 50_000],
    ["2001:db8:2::99", 51_111],
    ["192.168.1.9", 50_000],
    ["2001:db8:1::9", 50_000],
  ] as const)
    expect(permit(ip, "host", port)?.maxChecks).toBe(36);
});

test("bad input 93: 20 go to the peer's own global IPv6 address, 6 to any other that the server never observed", () => {
  expect(permit("2001:db8:3::7")?.maxChecks).toBe(20);
  expect(permit("2001:db8:3::7", "predicted")?.maxChecks).toBe(6);
  for (const ip of ["28.3.0.7", "10.0.0.1", "192.168.2.9", "100.64.0.1", "fd00::1"])
    expect(permit(ip)?.maxChecks).toBe(6);
});

test("bad input 92: nothing goes to places that no peer can be at", () => {
  for (const ip of ["127.0.0.1", "0.0.0.0", "::", "::1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "fe80::1"])
    expect(permit(ip)).toBeNull();
  for (const ip of ["127.1", "2130706433", "0x7f.1", "010.0.0.1", "localhost"]) expect(permit(ip)).toBeNull();
  expect(permit("192.168.1.255")).toBeNull();
  expect(permit("28.2.0.7", "host", 0)).toBeNull();
});

test("bad input 92: nothing goes to the own server's ports, nor to oneself", () => {
  for (const { ip, port } of [...own.servers, ...own.addresses]) expect(permit(ip, "host", port)).toBeNull();
  expect(permit("28.0.0.1", "host", 50_000)).not.toBeNull();
  expect(permit("192.168.1.5", "host", 50_000)?.kind).toBe("lan"); // another program on this machine
});

test("ports of services are checked only when the server saw the peer at that very port", () => {
  expect(permit("28.2.0.7", "host", 53)).toBeNull();
  expect(permit("192.168.1.1", "host", 53)).toBeNull();
  expect(permit("28.2.0.7", "host", 443, [{ ip: "28.2.0.7", port: 443 }])?.maxChecks).toBe(36);
});

test("loopback is checked only where the server is on it too and attested this very address", () => {
  const local = { ip: "127.0.0.1", port: 50_000 };
  const here = { ...own, servers: [{ ip: "127.0.0.1", port: 7_420 }] };
  expect(permit("127.0.0.1", "server-reflexive", 50_000, [local], own)).toBeNull();
  expect(permit("127.0.0.1", "server-reflexive", 50_000, attested, here)).toBeNull();
  expect(permit("127.0.0.1", "server-reflexive", 50_001, [local], here)).toBeNull();
  expect(permit("127.0.0.1", "server-reflexive", 7_420, [{ ...local, port: 7_420 }], here)).toBeNull();
  expect(permit("127.0.0.1", "server-reflexive", 50_000, [local], here)).toEqual({
    kind: "lan",
    maxChecks: 36,
    rank: 0,
    needsOpener: false,
  });
});

test("the order is own link, global IPv6, port-mapped, seen by the server, other private, predicted", () => {
  const ranks = [
    permit("192.168.1.9"),
    permit("2001:db8:2::7"),
    permit("28.2.0.7", "port-mapped"),
    permit("28.2.0.7", "server-reflexive"),
    permit("10.0.0.1"),
    permit("28.2.0.7", "predicted"),
  ].map((given) => given?.rank ?? -1);
  expect(ranks).toEqual([0, 1, 2, 3, 4, 5]);
});

test("a port mapped where the server never saw the other end comes with the other private ones", () => {
  expect(permit("28.3.0.7", "port-mapped")).toMatchObject({ kind: "port-mapped", rank: 4, maxChecks: 6 });
  expect(permit("28.2.0.7", "port-mapped", 51_111)).toMatchObject({ rank: 2, maxChecks: 36 });
});

test("a path is called after the link, the mapping, or nothing in particular", () => {
  expect(permit("192.168.1.9")?.kind).toBe("lan");
  expect(permit("28.2.0.7", "port-mapped")?.kind).toBe("port-mapped");
  expect(permit("28.2.0.7", "peer-reflexive")?.kind).toBe("direct");
});
