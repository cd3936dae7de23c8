import { expect, test } from "bun:test";
import { SourceCache } from "../../../../src/modes/runtime/source-cache.ts";

test("find() gives one spelling, and the same object while the source stays the same", () => {
  const cache = new SourceCache();
  const first = cache.find("::ffff:28.1.2.3", 5);
  expect(first).toEqual({ ip: "28.1.2.3", port: 5 });
  expect(cache.find("::ffff:28.1.2.3", 5)).toBe(first);
  expect(cache.find("28.1.2.3", 5)).toEqual({ ip: "28.1.2.3", port: 5 });
  expect(cache.find("28.1.2.3", 6)).toEqual({ ip: "28.1.2.3", port: 6 });
  expect(cache.find("fe80::1%eth0", 6)).toEqual({ ip: "fe80::1", port: 6 });
  expect(cache.find("", 6)).toBeNull();
  expect(cache.find("28.1.2.3", 6)).toEqual({ ip: "28.1.2.3", port: 6 });
});

test("find() stays right when more sources come than it holds", () => {
  const cache = new SourceCache();
  for (let index = 0; index < 3_000; index++) {
    const ip = `28.0.${index >> 8}.${index & 255}`;
    expect(cache.find(`::ffff:${ip}`, 1)).toEqual({ ip, port: 1 });
  }
});
