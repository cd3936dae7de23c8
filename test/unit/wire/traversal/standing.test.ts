import { expect, test } from "bun:test";
import type { UdpAddress } from "../../../../src/wire/address.ts";
import { type Candidate, MAX_ANNOUNCED } from "../../../../src/wire/traversal/candidate.ts";
import { standingOf, TheirStanding } from "../../../../src/wire/traversal/standing.ts";

const lan: UdpAddress = { ip: "192.168.1.7", port: 40_000 };
const outside: UdpAddress = { ip: "203.0.113.7", port: 40_000 };
const own6: UdpAddress = { ip: "2001:db8::7", port: 40_001 };
const nothing = { hosts: [], seen: [], mapping: "unknown", portMapped: false } as const;

function host(address: UdpAddress): Candidate {
  return { type: "host", address };
}

test("standingOf() is open where the server sees the socket as it is, and as the NAT maps elsewhere", () => {
  const mapping = "independent";
  expect(standingOf({ ...nothing, hosts: [outside], seen: [outside], mapping }).placement).toBe("open");
  expect(standingOf({ ...nothing, hosts: [lan], seen: [outside], mapping }).placement).toBe("independent");
  expect(standingOf({ ...nothing, hosts: [outside], seen: [{ ...outside, port: 1_025 }], mapping }).placement).toBe(
    mapping,
  );
});

test("standingOf() takes what speaks with the server over loopback for open", () => {
  expect(standingOf({ ...nothing, seen: [{ ip: "127.0.0.1", port: 5_000 }], mapping: "independent" }).placement).toBe(
    "open",
  );
});

test("standingOf() does not take IPv6 alone for an open network", () => {
  const { placement, ipv6 } = standingOf({ ...nothing, hosts: [own6], seen: [own6], mapping: "blocked" });
  expect([placement, ipv6]).toEqual(["blocked", true]);
});

test("standingOf() counts no IPv6 address that leads nowhere", () => {
  for (const ip of ["fe80::1", "fd00::1", "::1"])
    expect(standingOf({ ...nothing, hosts: [{ ip, port: 1 }] }).ipv6).toBe(false);
});

test("TheirStanding learns from what is announced, what the server tells, and what their NAT does", () => {
  const theirs = new TheirStanding();
  expect(theirs.now).toEqual({ placement: "unknown", hides: false, ipv6: false, portMapped: false });
  theirs.maps("random");
  theirs.announced(host(lan));
  theirs.attested([outside]);
  expect(theirs.now).toEqual({ placement: "random", hides: false, ipv6: false, portMapped: false });
  theirs.announced({ type: "port-mapped", address: { ip: "203.0.113.7", port: 7 } });
  theirs.announced(host(own6));
  expect(theirs.now).toEqual({ placement: "random", hides: false, ipv6: true, portMapped: true });
});

test("TheirStanding keeps the newest addresses only, however many are announced", () => {
  const theirs = new TheirStanding();
  theirs.attested([outside]);
  theirs.announced(host(outside));
  expect(theirs.now.placement).toBe("open");
  for (let port = 1; port <= MAX_ANNOUNCED; port++) theirs.announced(host({ ...lan, port }));
  expect(theirs.now.placement).toBe("unknown");
});

test("TheirStanding of who hides is nothing but that", () => {
  const theirs = new TheirStanding();
  theirs.maps("random");
  theirs.announced(host(own6));
  theirs.hides();
  expect(theirs.now).toEqual({ placement: "unknown", hides: true, ipv6: false, portMapped: false });
});
