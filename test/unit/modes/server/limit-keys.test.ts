import { expect, test } from "bun:test";
import { LimitKeys } from "../../../../src/modes/server/limit-keys.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";

const server = (number: number) => new LimitKeys(new KeyPair(new Uint8Array(32).fill(number)));

test("LimitKeys.of() is the same on all nodes of a server, shows nobody, and differs by limit and server", () => {
  const key = server(1).of("guesses", "192.0.2.7");
  expect(key).toMatch(/^guesses:[0-9a-f]{32}$/);
  expect(server(1).of("guesses", "192.0.2.7")).toBe(key);
  const others = [
    server(1).of("guesses", "192.0.2.8"),
    server(1).of("registrations", "192.0.2.7"),
    server(2).of("guesses", "192.0.2.7"),
  ];
  expect(new Set([key, ...others].map((each) => each.split(":")[1])).size).toBe(4);
});
