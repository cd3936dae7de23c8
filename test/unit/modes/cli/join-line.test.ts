import { expect, test } from "bun:test";
import fc from "fast-check";
import { isLowOrder } from "../../../../src/modes/cli/low-order.ts";
import { UserError } from "../../../../src/modes/cli/errors.ts";
import {
  formatJoinLine,
  type JoinLine,
  looksLikeJoinLine,
  parseJoinLine,
} from "../../../../src/modes/cli/join-line.ts";
import { fromHex, toBase32 } from "../../../../src/wire/bytes.ts";
import x25519 from "../../../vectors/wycheproof-x25519.json";

const key = new Uint8Array(32).fill(7);
const invite = new Uint8Array(16).fill(9);
const KEY = toBase32(key);
const INVITE = toBase32(invite);
const bare = { secure: false, key: null, invite: null };

function reason(line: string): string {
  try {
    parseJoinLine(line);
  } catch (error) {
    if (error instanceof UserError && error.code === "usage") return error.message;
    throw error;
  }
  return "accepted";
}

const accepted: readonly (readonly [string, JoinLine])[] = [
  ["p2p://host", { ...bare, nodes: [{ host: "host", port: 7420 }] }],
  ["P2P://HOST/", { ...bare, nodes: [{ host: "host", port: 7420 }] }],
  ["p2ps://host", { ...bare, secure: true, nodes: [{ host: "host", port: 443 }] }],
  ["host:1", { ...bare, nodes: [{ host: "host", port: 1 }] }],
  ["p2p://203.0.113.7:65535", { ...bare, nodes: [{ host: "203.0.113.7", port: 65_535 }] }],
  ["p2p://[2001:DB8:0::1]:9/", { ...bare, nodes: [{ host: "2001:db8::1", port: 9 }] }],
  ["p2p://[::1]", { ...bare, nodes: [{ host: "::1", port: 7420 }] }],
  [
    "p2p://a.example,b.example:2,[::1]:3",
    { ...bare, nodes: [node("a.example", 7420), node("b.example", 2), node("::1", 3)] },
  ],
  ["p2p://xn--bcher-kva.example", { ...bare, nodes: [node("xn--bcher-kva.example", 7420)] }],
  [`p2p://host:7420/#${KEY}`, { ...bare, nodes: [node("host", 7420)], key }],
  [`p2p://host#${KEY.toUpperCase()}.${INVITE.toUpperCase()}`, { ...bare, nodes: [node("host", 7420)], key, invite }],
  [`host#${KEY}`, { ...bare, nodes: [node("host", 7420)], key }],
  [`  <p2p://host/#${KEY}> \r\n`, { ...bare, nodes: [node("host", 7420)], key }],
];

function node(host: string, port: number): { host: string; port: number } {
  return { host, port };
}

test.each(accepted)("parseJoinLine() reads %s", (text, line) => {
  expect(parseJoinLine(text)).toEqual(line);
});

test.each([
  ["http://host", "the scheme is http://"],
  ["https://host/", "the scheme is https://"],
  ["javascript://x", "the scheme is javascript://"],
  ["p2p://ana@host", "a user name"],
  ["p2p://ana:pw@host", "a user name"],
  ["p2p://host/path", "a path"],
  ["p2p://host//", "a path"],
  ["p2p://host/?x=1", "a query"],
  ["p2p://", "names no host"],
  ["p2p:///", "names no host"],
  ["p2p://a,,b", "neither a DNS name nor an address"],
  ["p2p://exаmple.org", "international name"], // a Cyrillic letter
  ["p2p://bücher.example", "international name"],
  ["p2p://ex ample", "international name"],
  ["p2p://2001:db8::1", "stands in brackets"],
  ["p2p://[2001:db8::g]", "neither a DNS name nor an address"],
  ["p2p://[1.2.3.4]", "neither a DNS name nor an address"],
  ["p2p://[fe80::1%eth0]", "zone"],
  ["p2p://127.1", "neither a DNS name nor an address"],
  ["p2p://2130706433", "neither a DNS name nor an address"],
  ["p2p://0x7f000001", "neither a DNS name nor an address"],
  ["p2p://1.2.3.256", "neither a DNS name nor an address"],
  ["p2p://-host", "neither a DNS name nor an address"],
  [`p2p://${"a".repeat(64)}`, "neither a DNS name nor an address"],
  ["p2p://host:", "port"],
  ["p2p://host:0", "port"],
  ["p2p://host:65536", "port"],
  ["p2p://host:-1", "port"],
  ["p2p://host:07420", "port"],
  ["p2p://host:abc", "port"],
  ["p2p://host#", "52 base32"],
  [`p2p://host#${KEY.slice(1)}`, "52 base32"],
  [`p2p://host#${KEY}a`, "52 base32"],
  [`p2p://host#${KEY.slice(0, -1)}b`, "52 base32"], // stray bits: a second spelling of a key
  [`p2p://host#1${KEY.slice(1)}`, "52 base32"],
  [`p2p://host#${KEY}.`, "26 base32"],
  [`p2p://host#${KEY}.${INVITE}a`, "26 base32"],
  [`p2p://host#${KEY}.${INVITE}.x`, "follows the invitation"],
  [`p2p://host#${KEY}/x`, "52 base32"],
  [`p2p://${"a,".repeat(16)}a`, "more than 16 nodes"],
  [`p2p://${"a".repeat(10_000)}`, "longer than 2048"],
  ["", "names no host"],
])("bad input 175: parseJoinLine() refuses %s and says why", (text, why) => {
  expect(reason(text)).toContain(why);
});

test("looksLikeJoinLine() wants the scheme or a #, not a bare host", () => {
  expect(["p2p://h", "http://h", "h#x", " <p2ps://h> "].map(looksLikeJoinLine)).toEqual([true, true, true, true]);
  expect(["host", "host:7420", "users", "photo.jpg"].map(looksLikeJoinLine)).toEqual([false, false, false, false]);
});

test("formatJoinLine() writes scheme, ports and lower case, and what it writes is read again", () => {
  const line = { secure: true, nodes: [node("::1", 443), node("a.example", 2)], key, invite };
  expect(formatJoinLine(line)).toBe(`p2ps://[::1]:443,a.example:2/#${KEY}.${INVITE}`);
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
  const host = fc.oneof(
    label,
    fc.tuple(label, label).map(([a, b]) => `${a}.${b}`),
    fc.ipV4(),
    fc.constant("2001:db8::5"),
  );
  const port = fc.integer({ min: 1, max: 65_535 });
  const bytes = (length: number) => fc.option(fc.uint8Array({ minLength: length, maxLength: length }));
  const lines = fc.record({
    secure: fc.boolean(),
    nodes: fc.array(fc.record({ host, port }), { minLength: 1, maxLength: 5 }),
    key: bytes(32).filter((made) => made === null || !isLowOrder(made)),
    invite: bytes(16),
  });
  fc.assert(
    fc.property(lines, (made) => {
      const whole = made.key === null ? { ...made, invite: null } : made;
      expect(parseJoinLine(formatJoinLine(whole))).toEqual(whole);
    }),
  );
});

test("parseJoinLine() refuses with a UserError, whatever the text", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string().map((tail) => `p2p://${tail}`),
    fc.string().map((tail) => `h#${tail}`),
  );
  fc.assert(
    fc.property(text, (line) => void reason(line)),
    { numRuns: 2_000 },
  );
});

test("a key that makes every shared secret zero is none, and no other key of Wycheproof is refused", () => {
  const tests = x25519.testGroups.flatMap((group) => group.tests);
  const useless = tests.filter(({ shared }) => /^0+$/.test(shared));
  expect(useless.length).toBeGreaterThan(20);
  for (const { public: key, shared } of tests) {
    const expected = /^0+$/.test(shared)
      ? "cannot read the join line: the key is none: no server can have it"
      : "accepted";
    expect(reason(`host#${toBase32(fromHex(key) ?? new Uint8Array())}`)).toBe(expected);
  }
  expect(reason(`host#${"a".repeat(52)}`)).toContain("the key is none");
});
