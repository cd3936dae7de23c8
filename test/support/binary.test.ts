import { expect, test } from "bun:test";
import { start } from "./binary.ts";

/** Says its arguments line by line, then waits for its input to end. */
const talker = `for line; do [ "$line" = --json ] || echo "$line"; done; cat`;

function talk(...lines: string[]) {
  return start([...lines, "--json"], { inside: ["sh", "-c", talker], executable: "talker", stdin: "open" });
}

test("P2p.waitFor() returns each event once, in whatever order they are asked for", async () => {
  await using p2p = talk('{"event":"waiting"}', '{"event":"read","id":"1"}', '{"event":"read","id":"2"}');
  expect(await p2p.waitFor("read", ({ id }) => id === "2")).toMatchObject({ id: "2" });
  expect(await p2p.waitFor("read")).toMatchObject({ id: "1" });
  expect(await p2p.waitFor("waiting")).toMatchObject({ event: "waiting" });
  await expect(p2p.waitFor("waiting", undefined, 1)).rejects.toThrow('event "waiting" did not come');
});

test("P2p tells all events in order, and its exit status", async () => {
  await using p2p = talk('{"event":"waiting"}', '{"event":"signed_out"}');
  p2p.endInput();
  const names: string[] = [];
  for await (const { event } of p2p) names.push(event);
  expect(names).toEqual(["waiting", "signed_out"]);
  expect(await p2p.exited).toBe(0);
  await expect(p2p.waitFor("ready")).rejects.toThrow('ended without event "ready" (exit status 0)');
});

test("P2p.waitFor() refuses a line under --json that is no JSON", async () => {
  await using p2p = talk('{"event":"waiting"}', "oops");
  await expect(p2p.waitFor("ready")).rejects.toThrow("stdout under --json is not JSON: oops");
});
