import { expect, test } from "bun:test";
import { parseAdvertise, parseListen } from "../../../../src/modes/cli/addresses.ts";

const usage = expect.objectContaining({ code: "usage" });

test.each([
  [":7420", null, 7420],
  [":0", null, 0],
  ["1.2.3.4:0", "1.2.3.4", 0],
  ["[::1]:7420", "::1", 7420],
  ["[::]:65535", "::", 65_535],
  ["localhost:1", "localhost", 1],
])("parseListen() reads %s", (text, host, port) => {
  expect(parseListen(text)).toEqual({ host, port });
});

test.each([
  ["", "there is no port"],
  ["7420", "there is no port"],
  ["host", "there is no port"],
  [":-1", "port"],
  [":65536", "port"],
  [":abc", "port"],
  [":", "port"],
  [": 1", "port"],
  ["::1:7420", "brackets"],
  ["2001:db8::1", "brackets"],
  ["1.2.3:1", "neither"],
  ["1.2.3.4.5:1", "neither"],
  ["a_b:1", "neither"],
  ["[fe80::1%lo]:1", "neither"],
])("bad input 169: parseListen() refuses %j", (text, why) => {
  expect(() => parseListen(text)).toThrow(usage);
  expect(() => parseListen(text)).toThrow(why);
});

test.each([
  ["p2p.example.org", "p2p.example.org", null],
  ["203.0.113.7:7420", "203.0.113.7", 7420],
  ["[2001:db8::1]", "2001:db8::1", null],
])("parseAdvertise() reads %s", (text, host, port) => {
  expect(parseAdvertise(text)).toEqual({ host, port });
});

test.each(["", ":7420", "host:0", "host:70000", "2001:db8::1", "ho st"])("parseAdvertise() refuses %j", (text) => {
  expect(() => parseAdvertise(text)).toThrow(usage);
});
