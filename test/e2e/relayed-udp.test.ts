import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { StatusEvent } from "../../src/modes/cli/events.ts";
import { type EventNamed, run } from "../support/binary.ts";
import { Community, type Person } from "../support/community.ts";
import { randomFile, sha256Of } from "../support/files.ts";

let town: Community;
let ana: Person;
let ben: Person;
beforeAll(async () => {
  town = await Community.found();
  [ana, ben] = [await town.register("ana"), await town.register("ben")];
});
afterAll(() => town[Symbol.asyncDispose]());

const overUdp = ({ kind }: EventNamed<"path">) => kind === "relay-udp";

async function status(): Promise<StatusEvent & { readonly running: true }> {
  const { events } = await run(["server", "status", "--json", "--data", town.dataFolder]);
  const [event] = events;
  if (event?.event !== "status" || !("running" in event) || !event.running) throw new Error(JSON.stringify(events));
  return event;
}

for (const [here, there] of [
  [["--relay-only"], []],
  [[], ["--relay-only"]],
] as const)
  test(`a file goes over the relay's UDP with --relay-only at one end: ${here.length > 0 ? "the sender's" : "the receiver's"}`, async () => {
    const file = join(town.folder, `file-${here.length}.bin`);
    const hash = await randomFile(file, 8 * 2 ** 20);
    await using receiver = await ben.receiving("--yes", "--once", ...there);
    await using send = ana.startWith({}, "send", file, "@ben", ...here);
    await Promise.all([send, receiver].map((each) => each.waitFor("path", overUdp)));
    expect(await send.finished()).toMatchObject({ exitCode: 0 });
    const saved = await receiver.waitFor("saved");
    expect(await receiver.finished()).toMatchObject({ exitCode: 0 });
    expect(await sha256Of(saved.path)).toBe(hash);
    for (const { events } of [send, receiver])
      for (const event of events) if (event.event === "path") expect(event.kind).toBeOneOf(["relay-udp", "relay-ws"]);
  });

test("the operator sees sessions that ended on the relay's UDP, and bytes that went over it", async () => {
  const { sessions, relayedBytes } = await status();
  expect(sessions["relay-udp"]).toBeGreaterThan(0);
  expect(relayedBytes).toBeGreaterThan(16 * 2 ** 20);
});
