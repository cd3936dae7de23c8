import { expect, test } from "bun:test";
import fc from "fast-check";
import { addressKey, canonicalIp, familyOf, formatIp, networkOf, parseIp, scopeOf } from "../../../src/wire/address.ts";

test("canonicalIp() gives one spelling per address", () => {
  for (const [given, canonical] of [
    ["28.1.2.3", "28.1.2.3"],
    ["::ffff:28.1.2.3", "28.1.2.3"],
    ["::ffff:1c01:203", "28.1.2.3"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::", "::"],
  ] as const)
    expect(canonicalIp(given)).toBe(canonical);
});

test("bad input 92: what is no strict address is refused", () => {
  for (const given of [
    "127.1",
    "2130706433",
    "0x7f.1",
    "010.0.0.1",
    "1.2.3.4.5",
    "1.2.3.256",
    "host",
    "",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "::1.2.3",
    "12345::",
    "1.2.3.4:80",
    "a".repeat(10_000),
  ])
    expect(canonicalIp(given)).toBeNull();
});

test("formatIp() and parseIp() are inverse", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(
    fc.property(address, (bytes) =>
      expect(formatIp(parseIp(formatIp(bytes)) ?? new Uint8Array())).toBe(formatIp(bytes)),
    ),
  );
});

test("scopeOf() knows the special places", () => {
  for (const [ip, scope] of [
    ["28.1.2.3", "public"],
    ["10.0.0.1", "private"],
    ["172.31.0.1", "private"],
    ["172.32.0.1", "public"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "shared"],
    ["169.254.169.254", "link-local"],
    ["127.0.0.1", "loopback"],
    ["0.0.0.0", "unspecified"],
    ["0.1.2.3", "reserved"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "reserved"],
    ["::1", "loopback"],
    ["::", "unspecified"],
    ["fe80::1", "link-local"],
    ["fd00::1", "private"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "public"],
    ["nonsense", "reserved"],
  ] as const)
    expect(`${ip} ${scopeOf(ip)}`).toBe(`${ip} ${scope}`);
});

test("addressKey(), familyOf() and networkOf() tell the families apart", () => {
  expect(addressKey({ ip: "1.2.3.4", port: 5 })).toBe("1.2.3.4:5");
  expect(addressKey({ ip: "::1", port: 5 })).toBe("[::1]:5");
  expect([familyOf("1.2.3.4"), familyOf("::1")]).toEqual([4, 6]);
  expect(networkOf("2001:db8:1:2:3::4")).toBe("2001:db8:1:2::/64");
  expect(networkOf("1.2.3.4")).toBe("1.2.3.4");
});
