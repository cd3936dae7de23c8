import { expect, test } from "bun:test";
import { PathChoice } from "../../../../src/wire/session/path-choice.ts";
import { RouteState, SERVER_TIER } from "../../../../src/wire/session/route-state.ts";

function usable(socket: number, tier: number, rttMs: number): RouteState {
  const route = new RouteState({ kind: "udp", socket, remote: { ip: "192.0.2.1", port: 1 } }, 0);
  route.standing = "usable";
  route.tier = tier;
  route.onRtt(0, rttMs);
  return route;
}

function server(): RouteState {
  const route = new RouteState({ kind: "server" }, 0);
  route.standing = "usable";
  return route;
}

test("PathChoice takes the best tier, whatever its RTT, and within it the lowest RTT", () => {
  const [far, near, best] = [usable(1, 2, 10), usable(2, 1, 90), usable(3, 1, 80)];
  const through = server();
  expect(through.tier).toBe(SERVER_TIER);
  expect(new PathChoice().choose(0, [through, far, near, best], null)?.route).toBe(best);
  expect(new PathChoice().choose(0, [through, far], through)).toMatchObject({
    route: far,
    why: "a better kind of path",
  });
});

test("PathChoice looks at usable routes only", () => {
  const answered = usable(1, 1, 10);
  answered.standing = "answered";
  const through = server();
  expect(new PathChoice().choose(0, [answered, through], null)?.route).toBe(through);
  expect(new PathChoice().choose(0, [answered], null)).toBeNull();
});

test("PathChoice changes within a tier for 5 ms and a tenth, held for 3 s", () => {
  const [choice, now] = [new PathChoice(), usable(1, 1, 100)];
  expect(choice.choose(0, [now, usable(2, 1, 91)], now)?.route).toBe(now);
  expect(choice.pollTimeout()).toBeNull();
  const faster = usable(3, 1, 89);
  expect(choice.choose(1_000, [now, faster], now)?.route).toBe(now);
  expect(choice.pollTimeout()).toBe(4_000);
  expect(choice.choose(3_999, [now, faster], now)?.route).toBe(now);
  expect(choice.choose(4_000, [now, faster], now)).toEqual({ route: faster, why: "a faster path" });
  const [slow, slightly] = [usable(4, 1, 12), usable(5, 1, 8)];
  choice.choose(0, [slow, slightly], slow);
  expect(choice.choose(9_000, [slow, slightly], slow)?.route).toBe(slow);
});

test("PathChoice leaves a route that is no longer there", () => {
  const [gone, left] = [usable(1, 1, 10), usable(2, 1, 500)];
  expect(new PathChoice().choose(0, [left], gone)).toEqual({ route: left, why: "the path before stopped answering" });
});
