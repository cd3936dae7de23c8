import { expect, test } from "bun:test";
import { systemRandom } from "../../../../src/modes/peer/own-device.ts";
import { ServerLink } from "../../../../src/modes/peer/server-link.ts";
import { ServerRoute } from "../../../../src/modes/peer/server-route.ts";
import { CHANNEL_BUDGET_BYTES } from "../../../../src/wire/limits.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";

function route(): ServerRoute {
  const server = { secure: false, nodes: [{ host: "127.0.0.1", port: 1 }], key: systemRandom(32) };
  return new ServerRoute(new ServerLink(server, KeyPair.generate(systemRandom)), systemRandom(16));
}

test("what comes before anybody listens is kept in order, as much as the channel may carry", () => {
  const early = route();
  for (let index = 0; index < 40; index++) early.received(new Uint8Array(4_096).fill(index));
  const heard: (number | undefined)[] = [];
  early.onBody(([first]) => void heard.push(first));
  const kept = CHANNEL_BUDGET_BYTES / 4_096;
  expect(heard).toEqual(Array.from({ length: kept }, (_, index) => index));
  early.received(Uint8Array.of(255));
  expect(heard.at(-1)).toBe(255);
});

test("onFirstBody() keeps what it gives back, and what follows, for the next one", () => {
  const shared = route();
  shared.received(Uint8Array.of(1, 2, 3));
  shared.received(Uint8Array.of(4));
  shared.onFirstBody((body) => body.subarray(1));
  shared.received(Uint8Array.of(5));
  const heard: number[][] = [];
  shared.onBody((body) => void heard.push([...body]));
  expect(heard).toEqual([[2, 3], [4], [5]]);
});
