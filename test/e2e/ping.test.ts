import { afterAll, beforeAll, expect, test } from "bun:test";
import type { PongEvent } from "../../src/modes/cli/events.ts";
import { type Finished, run } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";

let town: Community;
let ana: Person;
let ben: Person;

beforeAll(async () => {
  town = await Community.found();
  ana = await town.register("ana");
  ben = await town.register("ben");
});

afterAll(async () => {
  await town[Symbol.asyncDispose]();
});

function pongsOf({ events }: Finished): readonly PongEvent[] {
  return events.filter((event): event is PongEvent => event.event === "pong");
}

test("p2p ping of a stranger goes over the server only, and with --until-direct ends with 7 and the reason", async () => {
  await using _ = await ben.receiving();
  const finished = await ana.run("ping", "@ben", "-c", "2");
  expect(finished.exitCode).toBe(0);
  expect(pongsOf(finished)).toHaveLength(2);
  for (const pong of pongsOf(finished)) {
    expect(pong).toMatchObject({ peer: "ben", remote: town.http });
    expect(pong.path).toStartWith("relay-");
    expect(pong.rttMs).toBeGreaterThan(0);
  }
  const waiting = await ana.run("ping", "@ben", "--until-direct");
  expect(waiting.exitCode).toBe(7);
  expect(waiting.events.at(-1)).toMatchObject({ code: "no-path", hint: expect.stringContaining("their side hides") });
});

test("p2p ping --until-direct goes over the server first, and ends as soon as an answer came directly", async () => {
  await using _ = await ben.receiving();
  expect((await ana.run("msg", "ben", "hello")).exitCode).toBe(0);
  const finished = await ana.run("ping", "@ben", "--until-direct");
  expect(finished.exitCode).toBe(0);
  const paths = pongsOf(finished).map(({ path }) => path);
  expect(paths.at(-1)).toBe("lan");
  expect(paths.slice(0, -1).every((path) => path.startsWith("relay-"))).toBe(true);
  expect(pongsOf(finished).at(-1)?.remote).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("p2p ping prints a line for each answer, with path and round trip", async () => {
  await using _ = await ben.receiving();
  const { stdout, exitCode } = await run(["ping", "@ben", "-c", "1", "--home", ana.home]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ben answered in [\d.]+ ms, (over the server|in the local network).*, 127\.0\.0\.1:\d+\n$/);
});

test("p2p ping of who is not there ends with 5", async () => {
  const finished = await ana.run("ping", "@ben");
  expect([finished.exitCode, finished.events.at(-1)]).toMatchObject([5, { code: "offline" }]);
});

test("p2p ping --until-direct --relay-only is refused before anything is connected", async () => {
  const finished = await ana.run("ping", "@ben", "--until-direct", "--relay-only");
  expect([finished.exitCode, finished.events]).toMatchObject([2, [{ event: "error", code: "usage" }]]);
});
