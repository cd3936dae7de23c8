import { expect, test } from "bun:test";
import { observedAddress, PathChallenges } from "../../../../src/wire/session/path-challenges.ts";
import { type Route, routeKey, SERVER_ROUTE } from "../../../../src/wire/session/route.ts";
import { Seeded } from "../../../sim/seeded.ts";

const route = (socket: number, ip = "192.0.2.1"): Route => ({ kind: "udp", socket, remote: { ip, port: 4_000 } });

function nonceOf(challenges: PathChallenges): Uint8Array {
  const frame = challenges.take()?.frame;
  return frame?.kind === "challenge" ? frame.nonce : new Uint8Array();
}

test("a challenge counts once, on its own route, within 10 s", () => {
  const challenges = new PathChallenges(new Seeded(1).bytes);
  challenges.challenge(0, route(1), "reach", false);
  const nonce = nonceOf(challenges);
  expect(challenges.onResponse(5, routeKey(route(2)), nonce)).toBeNull();
  expect(challenges.onResponse(5, routeKey(route(1)), new Uint8Array(8))).toBeNull();
  expect(challenges.onResponse(42, routeKey(route(1)), nonce)).toEqual({ kind: "reach", rttMs: 42 });
  expect(challenges.onResponse(43, routeKey(route(1)), nonce)).toBeNull();
  challenges.challenge(100, route(1), "size", true);
  expect(challenges.onResponse(10_101, routeKey(route(1)), nonceOf(challenges))).toBeNull();
});

test("no more than 2048 challenges are remembered, and 64 answers wait", () => {
  const challenges = new PathChallenges(new Seeded(2).bytes);
  const nonces = Array.from({ length: 2_060 }, (_, socket) => {
    challenges.challenge(0, route(socket), "reach", false);
    return nonceOf(challenges);
  });
  const counts = nonces.map((nonce, socket) => challenges.onResponse(1, routeKey(route(socket)), nonce) !== null);
  expect(counts.filter(Boolean)).toHaveLength(2_048);
  expect(counts.at(-1)).toBe(true);
  for (let index = 0; index < 100; index++) challenges.respond(route(1), new Uint8Array(8));
  let answers = 0;
  while (challenges.take() !== null) answers++;
  expect(answers).toBe(64);
});

test("answers say where the challenge came from, and nothing on the server's route", () => {
  const challenges = new PathChallenges(new Seeded(3).bytes);
  const nonce = new Uint8Array(8).fill(1);
  challenges.respond(route(1, "2001:db8::1"), nonce);
  challenges.respond(SERVER_ROUTE, nonce);
  const [udp, server] = [challenges.take()?.frame, challenges.take()?.frame];
  if (udp?.kind !== "response" || server?.kind !== "response") throw new Error("no answers");
  expect(observedAddress(udp)).toEqual({ ip: "2001:db8::1", port: 4_000 });
  expect(observedAddress(server)).toBeNull();
  expect(() => observedAddress({ ...udp, address: new Uint8Array(5) })).toThrow("4 or 16 bytes");
  expect(() => observedAddress({ ...udp, port: 0 })).toThrow("without a port");
});
