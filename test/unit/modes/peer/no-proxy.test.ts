import { expect, test } from "bun:test";
import { isExempt } from "../../../../src/modes/peer/no-proxy.ts";

const server = { host: "p2p.example.org", port: 7_420 };

test.each([
  "*",
  "p2p.example.org",
  "P2P.Example.ORG",
  ".example.org",
  "example.org",
  "*.example.org",
  "example.org.",
  "org",
])("isExempt() takes %s for p2p.example.org", (entry) => {
  expect(isExempt(entry, server)).toBe(true);
  expect(isExempt(`other.test, ${entry}`, server)).toBe(true);
});

test.each([
  "",
  " , ",
  "2p.example.org",
  "ample.org",
  "p2p.example",
  "example.org.uk",
  ".",
  "*.",
  "203.0.113.7",
  "0.0.0.0/0",
])("isExempt() does not take %p for p2p.example.org", (entry) => expect(isExempt(entry, server)).toBe(false));

test("isExempt() holds an entry with a port to that port", () => {
  expect(isExempt("example.org:7420", server)).toBe(true);
  expect(isExempt("example.org:443", server)).toBe(false);
  expect(isExempt("[2001:db8::1]:443", { host: "2001:db8::1", port: 443 })).toBe(true);
  expect(isExempt("[2001:db8::1]:443", { host: "2001:db8::1", port: 80 })).toBe(false);
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["203.0.113.7", "203.0.113.0/24"],
  ["203.0.113.7", "203.0.113.7/32"],
  ["203.0.113.7", "203.0.113.6/31"],
  ["203.0.113.7", "0.0.0.0/0"],
  ["2001:db8::7", "2001:DB8:0::7"],
  ["2001:db8::7", "[2001:db8::7]"],
  ["2001:db8::7", "2001:db8::/32"],
  ["2001:db8::7", "[2001:db8::]/33"],
])("isExempt() of the address %s takes %s", (host, entry) => expect(isExempt(entry, { host, port: 443 })).toBe(true));

test.each([
  ["203.0.113.7", "113.7"],
  ["203.0.113.7", "203.0.113.70"],
  ["203.0.113.7", "203.0.112.0/24"],
  ["203.0.113.7", "203.0.113.8/29"],
  ["203.0.113.7", "2001:db8::/0"],
  ["2001:db8::7", "2001:db9::/32"],
  ["2001:db8::7", "0.0.0.0/0"],
])("isExempt() of the address %s does not take %s", (host, entry) =>
  expect(isExempt(entry, { host, port: 443 })).toBe(false),
);
