import { expect, test } from "bun:test";
import { serverClockOffset } from "../../../../../src/modes/peer/doctor/server-clock.ts";

const NOON_MS = Date.UTC(2026, 0, 1, 12, 0, 0);

/** By a server whose clock shows noon. */
async function offsetAt(wallMs: number, date = new Date(NOON_MS).toUTCString()): Promise<number | null> {
  const headers = { date };
  await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("ok", { headers }) });
  return await serverClockOffset(`http://127.0.0.1:${server.port}/`, () => wallMs);
}

test.each([
  [NOON_MS + 400, 0],
  [NOON_MS + 60_000, -59],
  [NOON_MS - 3_600_000, 3_601],
])("serverClockOffset() at %d is %d s", async (wallMs, seconds) => {
  expect(Math.abs(((await offsetAt(wallMs)) ?? Number.NaN) - seconds)).toBeLessThanOrEqual(1);
});

test("serverClockOffset() is null where the server does not tell the time, or is not there", async () => {
  expect(await offsetAt(NOON_MS, "soon")).toBeNull();
  expect(await serverClockOffset("http://127.0.0.1:1/")).toBeNull();
});
