import { expect, test } from "bun:test";
import { isBroadcastOf, isInSubnet } from "../../../../src/wire/traversal/subnet.ts";

test("isInSubnet() compares exactly the prefix", () => {
  for (const [ip, own, prefix, inside] of [
    ["192.168.1.9", "192.168.1.1", 24, true],
    ["192.168.2.9", "192.168.1.1", 24, false],
    ["192.168.2.9", "192.168.1.1", 22, true],
    ["10.1.2.3", "10.255.0.1", 8, true],
    ["11.1.2.3", "10.255.0.1", 8, false],
    ["10.0.0.127", "10.0.0.1", 25, true],
    ["10.0.0.128", "10.0.0.1", 25, false],
    ["10.0.0.1", "10.0.0.1", 32, true],
    ["10.0.0.2", "10.0.0.1", 32, false],
    ["2001:db8::5", "2001:db8::1", 64, true],
    ["2001:db8:0:1::5", "2001:db8::1", 64, false],
    ["2001:db8::5", "10.0.0.1", 0, false],
    ["nonsense", "10.0.0.1", 8, false],
  ] as const)
    expect(isInSubnet(ip, { ip: own, prefix })).toBe(inside);
});

test("isBroadcastOf() knows the first and the last address of an IPv4 network", () => {
  for (const [ip, own, prefix, broadcast] of [
    ["192.168.1.255", "192.168.1.1", 24, true],
    ["192.168.1.0", "192.168.1.1", 24, true],
    ["192.168.1.254", "192.168.1.1", 24, false],
    ["192.168.3.255", "192.168.1.1", 22, true],
    ["192.168.1.255", "192.168.1.1", 22, false],
    ["192.168.2.255", "192.168.1.1", 24, false],
    ["10.0.0.1", "10.0.0.0", 31, false],
    ["2001:db8::", "2001:db8::1", 64, false],
  ] as const)
    expect(isBroadcastOf(ip, { ip: own, prefix })).toBe(broadcast);
});
