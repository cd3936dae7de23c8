import { expect, test } from "bun:test";
import { parseProxy } from "../../../../src/modes/cli/addresses.ts";
import { createLog } from "../../../../src/modes/runtime/log.ts";
import { ClientAddresses } from "../../../../src/modes/server/client-address.ts";

function addresses(...proxies: readonly string[]) {
  const logged: string[] = [];
  const write = (line: string) => void logged.push(line);
  const log = createLog({ level: "info", json: true, write, now: () => 0, wallClock: () => 0 });
  const all = new ClientAddresses(proxies.map(parseProxy), log);
  return { logged, of: (socketIp: string, forwardedFor: string | null) => all.of({ socketIp, forwardedFor }) };
}

test("bad input 33: what a direct client says of where it comes from is not believed", () => {
  const { of, logged } = addresses("10.0.0.1");
  expect(of("203.0.113.9", "192.0.2.1")).toBe("203.0.113.9");
  expect(of("10.0.0.2", "192.0.2.1")).toBe("10.0.0.2");
  expect(of("203.0.113.9", null)).toBe("203.0.113.9");
  expect(logged.length).toBe(1);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["198.51.100.7, 192.0.2.1", "192.0.2.1"],
  ["192.0.2.1, 10.0.0.1, 10.0.0.1", "192.0.2.1"],
  ["garbage, 192.0.2.1", "192.0.2.1"],
  ["192.0.2.1:4711", "192.0.2.1"],
  ["2001:DB8::1", "2001:db8::1"],
  ["[2001:db8::1]", "2001:db8::1"],
  ["[2001:db8::1]:4711", "2001:db8::1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["  192.0.2.1\t", "192.0.2.1"],
])("bad input 34: of %j from a named proxy the last hop that is no proxy counts", (forwardedFor, ip) => {
  expect(addresses("10.0.0.1").of("10.0.0.1", forwardedFor)).toBe(ip);
});

test.each([
  "",
  ",",
  "192.0.2.1,",
  "unknown",
  "192.0.2.1, _hidden",
  "192.0.2.300",
  "127.1",
  "0x7f000001",
  "fe80::1%eth0",
  "[fe80::1%25eth0]:1",
  "[192.0.2.1]",
  "192.0.2.1:port",
  "2001:db8::1]:1",
  "for=192.0.2.1",
  "192.0.2.1 198.51.100.1",
  "10.0.0.1",
  `${"192.0.2.1, ".repeat(1_000)}192.0.2.1`,
  "\u0000",
])("bad input 34: %j from a named proxy says nothing, and the proxy's own address counts", (forwardedFor) => {
  expect(addresses("10.0.0.1").of("10.0.0.1", forwardedFor)).toBe("10.0.0.1");
});

test("proxies are named by network too, in either family", () => {
  const { of } = addresses("172.18.0.0/15", "fd00:1::/33");
  expect(of("172.19.255.1", "192.0.2.1, 172.18.0.9")).toBe("192.0.2.1");
  expect(of("172.20.0.1", "192.0.2.1")).toBe("172.20.0.1");
  expect(of("fd00:1:7fff::1", "192.0.2.1")).toBe("192.0.2.1");
  expect(of("fd00:1:8000::1", "192.0.2.1")).toBe("fd00:1:8000::1");
});

test.each([
  "",
  "localhost",
  "127.1",
  "1.2.3.4/0",
  "1.2.3.4/33",
  "1.2.3.4/x",
  "1.2.3.4/",
  "::1/129",
  "::1/8/8",
  "fe80::1%1",
])("%j names no proxy", (text) => {
  expect(() => parseProxy(text)).toThrow(expect.objectContaining({ code: "usage" }));
});

test("a proxy that nobody named is told of, once, with what to write", () => {
  const { of, logged } = addresses();
  for (let time = 0; time < 3; time++) expect(of("127.0.0.1", "192.0.2.1")).toBe("127.0.0.1");
  expect(logged.length).toBe(1);
  expect(logged[0]).toContain("trusted-proxy");
});
