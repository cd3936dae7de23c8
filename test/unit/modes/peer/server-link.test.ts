import { expect, test } from "bun:test";
import { systemRandom } from "../../../../src/modes/peer/own-device.ts";
import { reconnectDelayMs, renewalDelayMs, ServerLink } from "../../../../src/modes/peer/server-link.ts";
import { KeyPair } from "../../../../src/wire/noise/primitives.ts";

test("bad input 37: clients that lost their server together come back spread out, each within 45 s", () => {
  const delays = (attempt: number) => [0, 0.5, 0.999].map((random) => Math.round(reconnectDelayMs(attempt, random)));
  expect(delays(0)).toEqual([100, 200, 300]);
  expect(delays(3)).toEqual([800, 1_600, 2_398]);
  expect(delays(20)).toEqual([15_000, 30_000, 44_970]);
});

test("a ticket or token is replaced before its end, whatever life the server gives it", () => {
  expect(renewalDelayMs(600_000)).toBe(480_000);
  expect(renewalDelayMs(0)).toBe(1_000);
  expect(renewalDelayMs(2 ** 32 - 1)).toBe(2 ** 31 - 1); // a longer timer would fire at once
});

test("a relay leg is opened where its node says, and next by the port that has let the channel pass", () => {
  const nodes = [{ host: "1.1.1.1", port: 443 }];
  const link = new ServerLink({ secure: false, nodes, key: systemRandom(32) }, KeyPair.generate(systemRandom));
  const urls = (place: string) => [0, 1, 2].map((attempt) => new URL(link.relayUrl(place, attempt)).host);
  expect(urls("8.8.8.8:7420")).toEqual(["8.8.8.8:7420", "8.8.8.8:443", "8.8.8.8:7420"]);
  expect(urls("")).toEqual(["1.1.1.1:443", "1.1.1.1:443", "1.1.1.1:443"]);
});
